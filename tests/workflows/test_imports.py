import csv
import gzip
import itertools
import tomllib
from collections import Counter, defaultdict
from datetime import date
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from db import answers, jobs
from domain.access import Role, Scope
from domain.errors import ForbiddenError
from domain.jobs import JobStatus
from domain.kpis import Dimension, Kpi
from domain.periods import Grain, Period
from domain.questions import Answer, Question
from integrations import servicenow
from tests.support.jobs import latest
from tests.support.providers import Provider, without
from workflows import tickets
from workflows.imports import ClientPolicy, ImportOptions, ImportRefused, ImportReport, Progress, import_tickets
from workflows.ticket_files import Source

SERVICENOW = ImportOptions(Source.SERVICENOW, clients=ClientPolicy.CREATE)
FIGURES = text("""
    select (select count(*) from ticket_delta where tenant_id = :tenant) as deltas,
           (select coalesce(sum(version), 0) from ticket where tenant_id = :tenant) as versions,
           (select count(*) from hand_over where tenant_id = :tenant) as hand_overs,
           (select count(*) from client where tenant_id = :tenant) as clients
""")


def lines(count: int, bad_every: int = 0) -> list[str]:
    """Return a log of so many incidents, every n-th with a day that no calendar has."""
    rows = [",".join(servicenow.COLUMNS)]
    for n in range(count):
        updated = "31/2/2016 09:00" if bad_every and n % bad_every == 0 else "1/3/2016 09:00"
        rows.append(f"INC{n},{n % 2},1/3/2016 08:00,{updated},Location {n % 7},?,3 - Moderate,Group 1,?,?")
    return rows


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "incidents.csv"
    path.write_text("\n".join(lines(5_000, bad_every=100)))
    return path


async def run(provider: Provider, path: Path, options: ImportOptions, **more: Any) -> ImportReport:
    return await import_tickets(provider.context, provider.admin, path, options, **more)


async def ask(provider: Provider, question: Question) -> Answer:
    async with provider.context.database.reading(provider.admin) as tx:
        return await answers.answer(tx, question, provider.clock())


async def figures(provider: Provider) -> dict[str, int]:
    async with provider.context.database.reading(provider.admin) as tx:
        row = await tx.one(FIGURES, tenant=tx.tenant)
    assert row is not None
    return dict(row)


async def test_bad_lines_are_kept_as_rows_while_the_good_ones_go_in(provider: Provider, log: Path) -> None:
    seen: list[Progress] = []
    report = await run(provider, log, SERVICENOW, on_progress=seen.append)
    assert (report.progress.created, report.progress.bad_lines, report.progress.clients_created) == (4_950, 50, 7)
    assert report.first_errors[0].line == 2
    assert report.first_errors[0].column == "sys_updated_at"
    assert seen[-1] == report.progress
    assert seen[-1].done_bytes == seen[-1].total_bytes == log.stat().st_size
    async with provider.context.database.reading(provider.admin) as tx:
        stored = await jobs.get(tx, report.id)
        bad = await jobs.bad_lines(tx, report.id, after=40, rows=100)
    assert stored is not None
    assert (stored.status, stored.counts["CREATED"], stored.error_count) == (JobStatus.DONE, 4_950, 50)
    assert [one.number for one in bad] == list(range(41, 51))
    assert (bad[-1].line, bad[-1].value) == (4_902, "31/2/2016 09:00")


async def test_importing_again_changes_nothing(provider: Provider, log: Path) -> None:
    await run(provider, log, SERVICENOW)
    before = await figures(provider)
    again = await run(provider, log, SERVICENOW)
    assert (again.progress.created, again.progress.changed, again.progress.unchanged) == (0, 0, 4_950)
    assert await figures(provider) == before


async def test_an_import_cut_off_half_way_is_finished_by_starting_it_again(provider: Provider, log: Path) -> None:
    class CutOff(Exception):
        pass

    def cut(_: Progress) -> None:
        raise CutOff

    with pytest.raises(CutOff):
        await run(provider, log, SERVICENOW, on_progress=cut)
    half = await ask(provider, Question(Kpi.TICKETS_LOGGED, Period(date(2016, 1, 1), date(2017, 1, 1))))
    written = half.series[0].series.total.value
    assert written is not None
    assert 0 < written < 4_950
    finished = await run(provider, log, SERVICENOW)
    assert (finished.progress.created, finished.progress.unchanged) == (4_950 - written, written)
    async with provider.context.database.reading(provider.admin) as tx:
        states = [one.status for one in await latest(tx)]
    assert states == [JobStatus.DONE, JobStatus.FAILED]


async def test_keys_that_nobody_has_mapped_leave_tickets_without_a_client(provider: Provider, log: Path) -> None:
    report = await run(provider, log, ImportOptions(Source.SERVICENOW))
    assert report.progress.clients_created == 0
    question = Question(Kpi.TICKETS_LOGGED, Period(date(2016, 3, 1), date(2016, 4, 1)), by=(Dimension.CLIENT,))
    answer = await ask(provider, question)
    assert [one.members for one in answer.series] == [("UNKNOWN",)]


async def test_a_file_that_cannot_be_used_is_refused_in_words(provider: Provider, tmp_path: Path) -> None:
    plain = tmp_path / "plain.csv"
    plain.write_text("a,b\n1,2\n")
    broken = {"system": 1}
    cases = [
        (plain, ImportOptions(Source.CSV), "needs a mapping"),
        (plain, ImportOptions(Source.CSV, mapping=broken), "`columns` lacks external_id"),
        (plain, ImportOptions(Source.SERVICENOW, mapping=broken), "leave the mapping out"),
        (plain, ImportOptions(Source.SERVICENOW), "The header lacks number"),
        (tmp_path / "none.csv", ImportOptions(Source.SERVICENOW), "can't be opened"),
        (plain, ImportOptions(Source.SERVICENOW, client=uuid4()), "No client with this id"),
    ]
    for path, options, words in cases:
        with pytest.raises(ImportRefused, match=words):
            await run(provider, path, options)


async def test_importing_takes_the_right_to_write_tickets_and_making_clients_that_too(
    provider: Provider, log: Path
) -> None:
    viewer = await provider.invited(Role.VIEWER)
    with pytest.raises(ForbiddenError, match="TICKETS_WRITE"):
        await import_tickets(provider.context, viewer, log, SERVICENOW)
    with pytest.raises(ForbiddenError, match="CLIENTS_WRITE"):
        await import_tickets(provider.context, without(provider.admin, Scope.CLIENTS_WRITE), log, SERVICENOW)


async def test_csv_and_json_lines_go_in_by_a_mapping(provider: Provider, tmp_path: Path) -> None:
    client = await provider.client()
    columns = '\n[columns]\nexternal_id = "id"\nlogged_at = "t"\nteam = "team"\ntier = "tier"\nchanged_at = "at"\n'
    mapping = tomllib.loads(f'system = "DESK"\n{columns}')
    rows, objects = tmp_path / "t.csv", tmp_path / "t.jsonl"
    rows.write_text(
        "id,t,team,tier,at\n1,2016-03-01T08:00,A,1,2016-03-01T08:00\n1,2016-03-01T08:00,B,2,2016-03-01T09:00\n"
    )
    objects.write_text(
        '{"id": 2, "t": "2016-03-01T08:00", "team": "A", "tier": 1, "at": "2016-03-01T08:00"}\nnonsense\n'
    )
    for source, path in ((Source.CSV, rows), (Source.JSONL, objects)):
        await run(provider, path, ImportOptions(source, mapping=mapping, client=client))
    question = Question(Kpi.ESCALATION_RATE, Period(date(2016, 3, 1), date(2016, 4, 1)))
    total = (await ask(provider, question)).series[0].series.total
    assert (total.numerator, total.denominator) == (1, 2)


async def test_servicenows_figures_equal_a_count_straight_from_the_file(provider: Provider, real_data: Path) -> None:
    path = real_data / "incidents_servicenow" / "incident_event_log.csv.gz"
    last: dict[str, dict[str, str]] = {}
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for line in csv.DictReader(file):
            place = line["location"]
            if place == "?" and line["number"] in last:
                line["location"] = last[line["number"]]["location"]
            last[line["number"]] = line
    by_month: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    by_place: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    by_priority: Counter[str] = Counter()
    for line in last.values():
        day, month, year = line["opened_at"].split(" ")[0].split("/")
        for sums in (by_month[f"{int(year)}-{int(month):02}"], by_place[line["location"]]):
            sums[0] += int(line["reassignment_count"]) > 0
            sums[1] += 1
        by_priority[f"P{line['priority'][0]}"] += 1
        assert int(day) <= 31
    report = await run(provider, path, SERVICENOW)
    assert (report.progress.created, report.progress.bad_lines) == (17_136, 0)
    await tickets.fold(provider.context)
    period = Period(date(2016, 2, 1), date(2016, 6, 1))
    rate = (await ask(provider, Question(Kpi.ESCALATION_RATE, period))).series[0].series
    assert rate.total.denominator == 17_136
    assert rate.total.value is not None
    assert round(100 * rate.total.value, 1) == 48.7
    months = {
        f"{point.bucket.start:%Y-%m}": [point.value.numerator, point.value.denominator]
        for point in rate.points
        if point.value.denominator
    }
    assert months == dict(by_month)
    by_client = await ask(provider, Question(Kpi.ESCALATION_RATE, period, Grain.YEAR, by=(Dimension.CLIENT,)))
    assert sorted([one.series.total.numerator, one.series.total.denominator] for one in by_client.series) == sorted(
        by_place.values()
    )
    split = await ask(provider, Question(Kpi.TICKETS_LOGGED, period, Grain.YEAR, by=(Dimension.PRIORITY,)))
    assert {one.members[0]: one.series.total.value for one in split.series} == by_priority
    escalations = await ask(provider, Question(Kpi.ESCALATIONS, Period(date(2016, 1, 1), date(2018, 1, 1))))
    counted = sum(int(line["reassignment_count"]) for line in last.values())
    assert escalations.series[0].series.total.value == counted


async def test_volvos_figures_equal_a_count_straight_from_the_file(provider: Provider, real_data: Path) -> None:
    path = real_data / "incidents_volvo" / "incidents.csv.gz"
    cases: dict[str, list[tuple[int, str]]] = defaultdict(list)
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for event in csv.DictReader(file):
            words = event["support_team"].split()
            line = 2 if "2nd" in words else 3 if "3rd" in words else 1
            cases[event["case_id"]].append((line, event["owner_org_country"]))
    raised = {case: sum(b > a for (a, _), (b, _) in itertools.pairwise(seen)) for case, seen in cases.items()}
    await run(provider, path, ImportOptions(Source.VOLVO, clients=ClientPolicy.CREATE))
    period = Period(date(2010, 1, 1), date(2014, 1, 1))
    rate = (await ask(provider, Question(Kpi.ESCALATION_RATE, period, Grain.YEAR))).series[0].series.total
    assert (rate.numerator, rate.denominator) == (sum(times > 0 for times in raised.values()), 4_646)
    escalations = (await ask(provider, Question(Kpi.ESCALATIONS, period, Grain.YEAR))).series[0].series.total
    assert escalations.value == sum(raised.values())
    by_client = await ask(provider, Question(Kpi.ESCALATION_RATE, period, Grain.YEAR, by=(Dimension.CLIENT,)))
    places = Counter(seen[0][1] for seen in cases.values())
    escalated = Counter(cases[case][0][1] for case, times in raised.items() if times)
    assert Counter({(escalated[place], count): 1 for place, count in places.items()}).keys() == {
        (one.series.total.numerator, one.series.total.denominator) for one in by_client.series
    }
