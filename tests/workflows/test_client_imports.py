"""Files of existing clients: the good rows come in, each bad cell is named, and a dry run foresees all of it."""

import csv
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import astuple, replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from db import jobs
from domain.imports import LineError
from domain.jobs import JobKind, JobStatus
from domain.moving_in import ArrivalStatus
from domain.stages import Stage
from tests.support.jobs import latest
from tests.support.moving_in import Lead, bare, counted, lead_of, stories_of
from tests.support.providers import Provider
from workflows import client_imports
from workflows.client_imports import (
    ClientFormat,
    ClientImportOptions,
    ClientImportRefused,
    ClientImportReport,
    import_file,
)

CSV = ClientImportOptions(ClientFormat.CSV)
JSONL = ClientImportOptions(ClientFormat.JSONL)
HEADER = (
    *("Name", "External System", "External Key", "Seats", "Owner e-mail", "Lead e-mail", "Stage"),
    *("Contracting on", "Discovery on", "live_on", "STEADY-ON", "Ended on", "Outcome", "Hold since", "Hold reason"),
    *("Contract title", "Contract type", "Contract scope", "Signed on", "Starts on", "Coverage hours"),
    *("Contact name", "Contact e-mail", "Contact roles"),
)
STAGES = ("CONTRACTING", "asset discovery", "EARLY_SUPPORT", "Steady-State", "OFFBOARDED", "LOST", "")

BAD = {
    "Name": ("", " " * 3, "x" * 201),
    "External Key": ("",),
    "Seats": ("twelve", "-1", "99999999"),
    "Owner e-mail": ("nobody@provider.example",),
    "Lead e-mail": ("", "nobody@provider.example"),
    "Stage": ("LIVE", "LOST"),
    "Contracting on": ("31/12/2025", "2025-02-30", "2031-01-01", "1890-01-01"),
    "live_on": ("", "2024-01-01", "yesterday"),
    "Outcome": ("BORED", "OTHER"),
    "Hold since": ("2025-12-01", "2026-01-20"),
    "Contract type": ("LEASE",),
    "Contract scope": ("ENDPOINTS;PLANTS",),
    "Signed on": ("soon", "2027-01-01"),
    "Starts on": ("2026-13-01",),
    "Coverage hours": ("always",),
    "Contact name": ("",),
    "Contact e-mail": ("pat at acme",),
    "Contact roles": ("BOSS",),
}
"""Something wrong of every kind, for a client that is in early support and otherwise sound."""


def sound(number: int, lead: Lead, stage: str) -> dict[str, str]:
    """Return a row with nothing wrong in it, for a stage as a file may call it."""
    opened = date(2025, 1, 6) + timedelta(days=number % 100)
    days = [(opened + timedelta(days=days)).isoformat() for days in (0, 14, 40, 150, 300)]
    plain = stage.upper().replace(" ", "_").replace("-", "_")
    passed = {"CONTRACTING": 1, "ASSET_DISCOVERY": 2, "EARLY_SUPPORT": 3, "STEADY_STATE": 4, "OFFBOARDED": 4, "LOST": 2}
    known = days[: passed.get(plain, 0)] + [""] * 4
    ended = plain in ("OFFBOARDED", "LOST")
    cells = (
        *(f"Client {number}", "PSA", str(number), str(number), lead.email.upper(), lead.email if stage else "", stage),
        *known[:4],
        *(days[4] if ended else "", "OTHER" if ended else "", "", ""),
        *("Managed services", "MANAGED", "ENDPOINTS; backup", days[0], days[1], "Mon-Fri 08:00-18:00"),
        *(f"Pat {number}", f"pat{number}@client.example", "PRIMARY|SIGNER"),
    )
    return dict(zip(HEADER, cells, strict=True))


def two_hundred(lead: Lead) -> list[dict[str, str]]:
    """Return two hundred rows, those with something wrong strewn among the others."""
    wrong = [(column, value) for column, values in BAD.items() for value in values]
    rows = []
    for number in range(200):
        place, due = divmod(number, 5)
        if due == 4 and place < len(wrong):
            column, value = wrong[place]
            rows.append(sound(number, lead, "EARLY_SUPPORT") | {"Hold reason": "", column: value})
        else:
            rows.append(sound(number, lead, STAGES[number % len(STAGES)]))
    rows[198] = rows[0] | {"Name": "The same key again"}
    rows[199] = rows[1] | {"External System": "", "External Key": ""}
    return rows


def written(path: Path, rows: Sequence[dict[str, str]], more: str = "") -> Path:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, HEADER)
        writer.writeheader()
        writer.writerows(rows)
        file.write(more)
    return path


async def run(provider: Provider, path: Path, options: ClientImportOptions = CSV) -> ClientImportReport:
    return await import_file(provider.context, provider.admin, path, options)


async def test_a_dry_run_of_two_hundred_clients_with_every_kind_of_error_foresees_the_run_field_for_field(
    provider: Provider, tmp_path: Path
) -> None:
    lead = await lead_of(provider)
    rows = two_hundred(lead)
    path = written(tmp_path / "clients.csv", rows, 'too,few,cells\r\n"unclosed')
    before = await counted(provider)
    foreseen = await run(provider, path, replace(CSV, dry_run=True))
    assert (foreseen.id, await counted(provider)) == (None, before)
    came = await run(provider, path)

    assert [bare(one) for one in foreseen.arrived] == [bare(one) for one in came.arrived]
    assert foreseen.problems == came.problems
    assert foreseen.changes == came.changes
    assert foreseen.counts == came.counts
    wrong = sum(len(values) for values in BAD.values()) + 2 + 2
    assert came.counts == {
        ArrivalStatus.CREATED: 202 - wrong,
        ArrivalStatus.JOINED: 0,
        ArrivalStatus.EXISTS: 0,
        ArrivalStatus.FAILED: wrong,
    }
    named = {problem.line: problem for problem in reversed(came.problems)}
    expected = [column for column, values in BAD.items() for _ in values]
    for place, column in enumerate(expected):
        problem = named[place * 5 + 4 + 2]
        assert problem.column in (column, "Ended on", "Hold reason", "Contact name"), (problem, column)
    assert {named[200].column, named[201].column} == {"External System", "Name"}

    now = await counted(provider)
    arrived = [one for one in came.arrived if one.status is ArrivalStatus.CREATED]
    assert now["client"] - before["client"] == len(arrived) == now["external_ref"] - before["external_ref"]
    assert now["cycle"] == sum(one.stage is not None for one in arrived)
    assert now["visit"] == sum(len(one.stays) for one in arrived)
    assert now["effect"] == sum(len(one.effects) for one in arrived)
    for one in arrived[:12]:
        stored = await stories_of(provider, one.client)
        assert [story.cycle.stage for story in stored] == ([one.stage] if one.stage else [])
        for story in stored:
            assert [(v.stage, v.entered_at, v.left_at) for v in story.visits] == [
                (stay.stage, stay.entered_at, stay.left_at) for stay in one.stays
            ]
            told = Counter((e.kind, e.name, e.due_at, e.state, e.reason) for e in one.effects)
            assert Counter((e.kind, e.name, e.due_at, e.state, e.reason) for e in story.effects) == told

    again = await run(provider, path)
    assert again.counts[ArrivalStatus.EXISTS] == len(arrived)
    assert await counted(provider) == now


async def test_bad_lines_are_kept_with_their_place(provider: Provider, tmp_path: Path) -> None:
    lead = await lead_of(provider)
    rows = [sound(1, lead, "EARLY_SUPPORT"), sound(2, lead, "EARLY_SUPPORT") | {"Seats": "many", "live_on": "never"}]
    report = await run(provider, written(tmp_path / "clients.csv", rows))
    assert report.problems == (
        LineError(3, "Seats", "many", "The value is no whole number."),
        LineError(3, "live_on", "never", "The value is no day such as 2026-03-01."),
    )
    assert report.id is not None
    async with provider.context.database.reading(provider.admin) as tx:
        kept = await jobs.get(tx, report.id)
        bad = await jobs.bad_lines(tx, report.id, after=0, rows=10)
    assert kept is not None
    assert (kept.kind, kept.status, kept.error_count) == (JobKind.CLIENT_IMPORT, JobStatus.DONE, 2)
    assert kept.counts == {"CREATED": 1, "REFUSED": 1}
    assert [(one.line, one.column, one.value, one.reason) for one in bad] == [astuple(one) for one in report.problems]


async def test_an_import_cut_off_goes_on_when_it_is_started_again(
    provider: Provider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class CutOff(Exception):
        pass

    def cut(rows: int) -> None:
        if rows >= 40:
            raise CutOff

    monkeypatch.setattr(client_imports, "BATCH_CLIENTS", 20)
    lead = await lead_of(provider)
    path = written(tmp_path / "clients.csv", [sound(n, lead, STAGES[n % 6]) for n in range(100)])
    with pytest.raises(CutOff):
        await import_file(provider.context, provider.admin, path, CSV, cut)
    assert (await counted(provider))["client"] == 40
    report = await run(provider, path)
    assert report.counts == {"CREATED": 60, "JOINED": 0, "EXISTS": 40, "FAILED": 0}
    async with provider.context.database.reading(provider.admin) as tx:
        states = [one.status for one in await latest(tx)]
    assert states == [JobStatus.DONE, JobStatus.FAILED]


async def test_json_lines_may_hold_many_contacts(provider: Provider, tmp_path: Path) -> None:
    lead = await lead_of(provider)
    contacts = [{"name": "Pat", "email": "pat@a.example", "roles": ["PRIMARY"]}, {"name": "Sig", "roles": "SIGNER"}]
    lines = [
        {
            "name": "Acme",
            "lead": lead.email,
            "stage": "STEADY_STATE",
            "steady_on": "2026-01-15T09:30:00+01:00",
            "contract_title": "All of it",
            "contract_scope": ["BACKUP", "NETWORK"],
            "contacts": contacts,
        },
        {"name": "Bolt", "stage": "STEADY_STATE", "colour": "red"},
        {"name": "Cog", "contacts": [{"name": 1}]},
    ]
    path = tmp_path / "clients.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines) + "[]\n")
    report = await run(provider, path, JSONL)
    assert report.counts == {"CREATED": 1, "JOINED": 0, "EXISTS": 0, "FAILED": 3}
    assert report.arrived[0].contacts == 2
    assert report.arrived[0].stays[0].entered_at.isoformat() == "2026-01-15T08:30:00+00:00"
    assert [(p.line, p.column) for p in report.problems] == [(2, None), (3, "contacts"), (4, None)]
    assert "'colour'" in report.problems[0].reason
    (again,) = (await run(provider, path, JSONL)).arrived[:1]
    assert again.status is ArrivalStatus.EXISTS


async def test_columns_are_called_as_the_file_calls_them(provider: Provider, tmp_path: Path) -> None:
    lead = await lead_of(provider)
    path = tmp_path / "kunden.csv"
    path.write_text(f"Kunde;Verantwortlich;Phase;Seit;Notiz\nAcme;{lead.email};STEADY_STATE;2026-01-01;gut\n")
    mapped = {"kunde": "name", "Verantwortlich": "lead_email", "Phase": "stage", "seit": "steady_on", "Notiz": "-"}
    report = await run(provider, path, replace(CSV, delimiter=";", mapped=mapped))
    assert [(one.name, one.stage) for one in report.arrived] == [("Acme", Stage.STEADY_STATE)]


async def test_a_file_that_cannot_be_used_is_refused_in_words(provider: Provider, tmp_path: Path) -> None:
    def file(text: str) -> Path:
        path = tmp_path / "file.csv"
        path.write_text(text)
        return path

    cases = [
        (file, "", CSV, "The file is empty"),
        (file, "name,stage,lead_email,colour\n", CSV, "not known: 'colour'"),
        (file, "name;stage;lead_email\n", CSV, "check the delimiter"),
        (file, "name,stage\n", CSV, "missing: lead_email"),
        (file, "name,Client,stage,lead\n", CSV, "'name' and 'Client' both mean name"),
        (file, "name\n", replace(CSV, mapped={"a": "b"}), "'a' is mapped to 'b'"),
        (lambda _: tmp_path / "none.csv", "", CSV, "can't be opened"),
    ]
    for make, text, options, words in cases:
        path = make(text)
        with pytest.raises(ClientImportRefused, match=words):
            await run(provider, path, options)
        with pytest.raises(ClientImportRefused, match=words):
            await run(provider, path, replace(options, dry_run=True))
