import csv
import gzip
import json
from collections import Counter
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

from db import answers
from domain.kpis import Kpi, Where
from domain.periods import Grain, Period
from domain.questions import Answer, Question
from domain.tickets import EscalationKind
from tests.support.providers import Provider
from workflows import tickets
from workflows.imports import ClientPolicy, ImportOptions, import_tickets
from workflows.ticket_files import Source

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
YEARS = Period(date(2012, 1, 1), date(2016, 1, 1))


async def ask(provider: Provider, kpi: Kpi, where: Where = Where(), period: Period = YEARS) -> Answer:  # noqa: B008
    async with provider.context.database.reading(provider.admin) as tx:
        return await answers.answer(tx, Question(kpi, period, Grain.YEAR, where=where), provider.clock())


def total(answer: Answer) -> tuple[float | None, float | None, float | None]:
    value = answer.series[0].series.total
    return value.value, value.numerator, value.denominator


async def test_rabobanks_vendor_escalations_and_reopenings_equal_a_count_straight_from_the_files(
    provider: Provider, real_data: Path, tmp_path: Path
) -> None:
    folder, joined = real_data / "incidents_rabobank", tmp_path / "rabobank.csv.gz"
    names = ("activities.csv.gz", "incidents.csv.gz")
    joined.write_bytes(b"".join((folder / name).read_bytes() for name in names))
    rows: dict[str, list[dict[str, str]]] = {}
    for name in names:
        with gzip.open(folder / name, "rt", encoding="utf-8") as file:
            rows[name] = list(csv.DictReader(file))
    activities, incidents = rows.values()
    kinds = Counter(row["incident_activity_type"] for row in activities)
    vendor = {row["incident_id"] for row in activities if row["incident_activity_type"] == "External Vendor Assignment"}
    options = ImportOptions(Source.RABOBANK, clients=ClientPolicy.CREATE, zone=AMSTERDAM)
    report = await import_tickets(provider.context, provider.admin, joined, options)
    assert (report.progress.created, report.progress.bad_lines) == (2_464, 0)
    assert report.progress.clients_created == len({row["service_component_wbs_aff"] for row in incidents}) == 152
    await tickets.fold(provider.context)
    by_vendor = Where(escalation_kind=EscalationKind.VENDOR)
    assert total(await ask(provider, Kpi.ESCALATIONS, by_vendor))[0] == kinds["External Vendor Assignment"] == 235
    assert total(await ask(provider, Kpi.ESCALATED_TICKETS, by_vendor))[0] == len(vendor)
    assert total(await ask(provider, Kpi.ESCALATIONS))[0] == kinds["Reassignment"] == 3_131
    again = await import_tickets(provider.context, provider.admin, joined, options)
    assert (again.progress.created, again.progress.changed, again.progress.unchanged) == (0, 0, 2_464)


async def test_the_italian_log_belongs_to_the_client_that_is_named(provider: Provider, real_data: Path) -> None:
    client = await provider.client()
    path = real_data / "helpdesk_italy" / "helpdesk.csv.gz"
    report = await import_tickets(
        provider.context, provider.admin, path, ImportOptions(Source.HELPDESK_ITALY, client=client)
    )
    assert (report.progress.created, report.progress.bad_lines) == (2_988, 0)
    await tickets.fold(provider.context)
    logged = await ask(provider, Kpi.TICKETS_LOGGED, period=Period(date(2009, 1, 1), date(2013, 1, 1)))
    assert total(logged)[0] == 2_988


async def test_a_file_of_payloads_goes_in_by_the_adapter_of_its_system(provider: Provider, tmp_path: Path) -> None:
    path = tmp_path / "zendesk.jsonl"
    bodies = [
        {
            "ticket": {
                "id": number,
                "created_at": "2014-03-02T08:00:00Z",
                "status": "open",
                "organization_id": number % 2,
            }
        }
        for number in range(1, 6)
    ]
    path.write_text("\n".join(json.dumps(body) for body in bodies))
    options = ImportOptions(Source.ZENDESK, clients=ClientPolicy.CREATE)
    report = await import_tickets(provider.context, provider.admin, path, options)
    assert (report.system, report.progress.created, report.progress.clients_created) == ("ZENDESK", 5, 1)
    await tickets.fold(provider.context)
    assert total(await ask(provider, Kpi.TICKETS_LOGGED))[0] == 5
