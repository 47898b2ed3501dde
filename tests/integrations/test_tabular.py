import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from domain.imports import LineError
from domain.tickets import (
    Exclusion,
    Priority,
    ReportedTicket,
    Resolution,
    SlaResult,
    SlaTarget,
    TicketSource,
    Wait,
    WaitingOn,
)
from integrations.lines import UnreadableFile
from integrations.mapping import InvalidMapping, Mapped, mapping, read_table
from integrations.tabular import parse_csv, parse_jsonl

BERLIN = ZoneInfo("Europe/Berlin")
UTC_ZONE = ZoneInfo("UTC")

HALO = {
    "system": "HALO",
    "zone": "Europe/Berlin",
    "dates": "%d.%m.%Y %H:%M",
    "delimiter": ";",
    "unknown": ["", "n/a"],
    "columns": {
        "external_id": "Ticket",
        "logged_at": "Created",
        "client": "Company",
        "priority": "Urgency",
        "source": "Via",
        "tier": "Line",
        "exclusion": "Flag",
    },
    "values": {"priority": {"Very urgent": "P1"}, "source": {"monitor": "ALERT", "phone": "PERSON"}},
}
HEADER = "Ticket;Created;Company;Urgency;Via;Line;Flag"


def lines(*rows: str) -> Iterator[str]:
    return iter("\n".join(rows).splitlines(keepends=True))


def csv_of(*rows: str, mapped: Mapped | None = None) -> list[ReportedTicket | LineError]:
    return [one.outcome for one in parse_csv(lines(HEADER, *rows), mapped or mapping(HALO, UTC_ZONE))]


def jsonl_of(columns: dict[str, str], *objects: Any, **more: Any) -> list[ReportedTicket | LineError]:
    mapped = mapping({"system": "S", "columns": columns, **more}, UTC_ZONE)
    rows = [one if isinstance(one, str) else json.dumps(one) for one in objects]
    return [one.outcome for one in parse_jsonl(lines(*rows), mapped)]


def test_a_mapping_turns_anybodys_columns_into_a_ticket() -> None:
    (ticket,) = csv_of("T-1;24.12.2025 23:30;Acme;Very urgent;monitor;2;n/a")
    assert isinstance(ticket, ReportedTicket)
    assert ticket.logged_at == datetime(2025, 12, 24, 22, 30, tzinfo=UTC)
    assert (ticket.client, ticket.priority, ticket.source) == ("Acme", Priority.P1, TicketSource.ALERT)
    assert ticket.hand_overs[0].tier == 2
    assert ticket.exclusion is None


def test_every_bad_cell_is_named_and_the_good_lines_go_in() -> None:
    outcomes = csv_of(
        "T-1;24.12.2025 23:30;Acme;P2;phone;;",
        ";24.12.2025 23:30;Acme;P2;phone;;",
        "T-3;2025-12-24;Acme;P2;phone;;",
        "T-4;24.12.2025 23:30;Acme;Meh;phone;;",
        "T-5;24.12.2025 23:30;Acme;P2;phone;0;",
        'T-6;24.12.2025 23:30;"Acme"x;P2;phone;;',
        "T-7;24.12.2025 23:30;Acme;P2;phone;1;SPAM",
    )
    errors = [(one.line, one.column, one.value) for one in outcomes if isinstance(one, LineError)]
    assert errors == [
        (3, "Ticket", None),
        (4, "Created", "2025-12-24"),
        (5, "Urgency", "Meh"),
        (6, "Line", "0"),
        (7, None, None),
    ]
    good = [one for one in outcomes if isinstance(one, ReportedTicket)]
    assert [one.external_id for one in good] == ["T-1", "T-7"]
    assert good[1].exclusion is Exclusion.SPAM


def test_a_cell_too_long_for_any_index_is_refused_and_not_the_whole_batch() -> None:
    outcomes = csv_of(
        f"{'T' * 5_000};24.12.2025 23:30;Acme;P2;phone;;",
        f"T-2;24.12.2025 23:30;{'A' * 201};P2;phone;;",
        f"T-3;24.12.2025 23:30;Acme;P2;phone;{'9' * 5_000};",
        "T-4;24.12.2025 23:30;Acme;P2;phone;10001;",
    )
    errors = [(one.line, one.column) for one in outcomes if isinstance(one, LineError)]
    assert errors == [(2, "Ticket"), (3, "Company"), (4, "Line"), (5, "Line")]
    assert len(errors) == len(outcomes)


def test_a_value_over_two_lines_is_reported_at_the_line_where_its_row_begins() -> None:
    outcomes = csv_of('T-1;24.12.2025 23:30;"Acme\nInc";P2;phone;;', "T-2;never;Acme;P2;phone;;")
    bad, good = outcomes
    assert isinstance(bad, LineError)
    assert bad.line == 4
    assert isinstance(good, ReportedTicket)
    assert good.client == "Acme\nInc"


def test_the_hour_that_comes_twice_is_read_as_the_first_and_the_skipped_one_is_moved() -> None:
    twice, skipped = csv_of("T-1;25.10.2026 02:30;A;P2;phone;;", "T-2;29.03.2026 02:30;A;P2;phone;;")
    assert isinstance(twice, ReportedTicket)
    assert isinstance(skipped, ReportedTicket)
    assert twice.logged_at == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert skipped.logged_at == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


def test_rows_with_changed_at_become_hand_overs() -> None:
    columns = {"external_id": "id", "logged_at": "t", "changed_at": "u", "team": "g"}
    rows = [
        {"id": 7, "t": "2026-01-01T08:00Z", "u": f"2026-01-0{n}T08:00Z", "g": team} for n, team in enumerate("ABBA", 1)
    ]
    (ticket,) = jsonl_of(columns, *rows)
    assert isinstance(ticket, ReportedTicket)
    assert ticket.external_id == "7"
    assert [one.team for one in ticket.hand_overs] == ["A", "B", "A"]


def test_json_lines_may_nest_and_carry_their_own_hand_overs() -> None:
    columns = {"external_id": "key", "logged_at": "when", "client": "company.name", "hand_overs": "history"}
    history = [{"at": 1767258000, "who": "Desk", "line": 1}, {"at": 1767261600, "who": "Net", "line": 2}]
    (ticket,) = jsonl_of(
        columns,
        {"key": "A", "when": 1767254400, "company": {"name": "Acme"}, "history": history},
        dates="EPOCH_SECONDS",
        hand_overs={"at": "at", "team": "who", "tier": "line"},
    )
    assert isinstance(ticket, ReportedTicket)
    assert ticket.client == "Acme"
    assert [one.tier for one in ticket.hand_overs] == [1, 2]


def test_lines_that_are_no_objects_are_named_and_survived() -> None:
    columns = {"external_id": "id", "logged_at": "t"}
    good = {"id": "1", "t": "2026-01-01T08:00Z"}
    deep = "[" * 5_000
    outcomes = jsonl_of(
        columns,
        "nonsense",
        "null",
        "[1]",
        "",
        deep,
        {"id": ["x"], "t": "2026-01-01T08:00Z"},
        {"id": "2", "t": "9" * 400},
        good,
    )
    assert [one.line for one in outcomes if isinstance(one, LineError)] == [1, 2, 3, 5, 6, 7]
    assert sum(isinstance(one, ReportedTicket) for one in outcomes) == 1
    assert all(len(one.value or "") <= 200 for one in outcomes if isinstance(one, LineError))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"system": ""}, "`system` names the source"),
        ({"columns": {"external_id": "a"}}, "lacks logged_at"),
        ({"columns": {"external_id": "a", "logged_at": "b", "colour": "c"}}, "no entry colour"),
        ({"zone": "Berlin"}, "'Berlin' is no time zone"),
        ({"values": {"priority": {"x": "HIGH"}}}, "'x' becomes 'HIGH', which is none of P1"),
        ({"delimiter": "||"}, "one character"),
        ({"colums": {}}, "no entry colums"),
        ({"columns": {"external_id": "a", "logged_at": "b", "hand_overs": "h"}}, "lacks `at`"),
    ],
)
def test_a_mapping_that_makes_no_sense_says_what_to_write(change: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidMapping, match=words):
        mapping(HALO | change, UTC_ZONE)


def test_a_mapping_is_read_from_toml_or_json_and_takes_the_tenants_zone(tmp_path: Path) -> None:
    toml, plain = tmp_path / "map.toml", tmp_path / "map.json"
    toml.write_text('system = "S"\n[columns]\nexternal_id = "a"\nlogged_at = "b"\n')
    plain.write_text(json.dumps({"system": "S", "columns": {"external_id": "a", "logged_at": "b"}}))
    assert read_table(toml) == read_table(plain)
    assert mapping(read_table(toml), BERLIN).zone == BERLIN
    toml.write_text("system = ")
    for path in (toml, tmp_path / "none.toml"):
        with pytest.raises(InvalidMapping, match="The mapping"):
            mapping(read_table(path), BERLIN)


def test_a_csv_without_a_mapped_column_is_refused_at_once() -> None:
    with pytest.raises(UnreadableFile, match="lacks Flag"):
        list(parse_csv(lines(HEADER.removesuffix(";Flag")), mapping(HALO, UTC_ZONE)))


def test_everything_that_is_known_of_a_ticket_has_a_column() -> None:
    names = {
        "external_id": "id",
        "logged_at": "t",
        "title": "subject",
        "site": "site",
        "device": "asset",
        "agent": "who",
        "merged_into": "into",
        "first_responded_at": "answered",
        "first_contact": "first",
        "times_reopened": "again",
        "response_due_at": "answer_by",
        "response_sla": "answered_in_time",
        "resolution_due_at": "solve_by",
        "resolution_sla": "solved_in_time",
    }
    cells = {
        "id": "1",
        "t": "2026-01-01T08:00Z",
        "subject": "Mail \n is down " + "!" * 300,
        "site": "S1",
        "asset": "PC-7",
        "who": "u17",
        "into": "9",
        "answered": "2026-01-01T08:10Z",
        "first": "ja",
        "again": 2,
        "answer_by": "2026-01-01T09:00Z",
        "answered_in_time": "ok",
        "solve_by": "2026-01-01T12:00Z",
        "solved_in_time": "",
    }
    values = {"first_contact": {"ja": "YES", "nein": "NO"}, "response_sla": {"ok": "MET", "late": "MISSED"}}
    (ticket,) = jsonl_of(names, cells, values=values)
    assert isinstance(ticket, ReportedTicket)
    assert ticket.title is not None
    assert ticket.title.startswith("Mail is down !!!")
    assert len(ticket.title) == 200
    assert (ticket.site, ticket.device, ticket.merged_into) == ("S1", "PC-7", "9")
    assert ticket.hand_overs[0].agent == "u17"
    assert ticket.first_responded_at == datetime(2026, 1, 1, 8, 10, tzinfo=UTC)
    assert (ticket.first_contact, ticket.reopenings) == (True, 2)
    assert ticket.response_sla == SlaTarget(datetime(2026, 1, 1, 9, tzinfo=UTC), SlaResult.MET)
    assert ticket.resolution_sla == SlaTarget(datetime(2026, 1, 1, 12, tzinfo=UTC))


def test_rows_tell_by_their_states_when_a_ticket_waited_and_was_reopened() -> None:
    columns = {
        "external_id": "id",
        "logged_at": "t",
        "changed_at": "u",
        "waiting_on": "state",
        "resolved_at": "done",
    }
    values = {"waiting_on": {"ask": "CUSTOMER", "work": "", "done": ""}}
    rows = [
        {"id": 7, "t": "2026-01-01T08:00Z", "u": f"2026-01-0{day}T08:00Z", "state": state, "done": done}
        for day, state, done in [
            (1, "work", None),
            (2, "ask", None),
            (3, "done", "2026-01-03T07:00Z"),
            (4, "work", None),
            (5, "done", "2026-01-05T07:00Z"),
        ]
    ]
    (ticket,) = jsonl_of(columns, *rows, values=values)
    assert isinstance(ticket, ReportedTicket)
    second, third, fourth = (datetime(2026, 1, day, 8, tzinfo=UTC) for day in (2, 3, 4))
    assert ticket.waits == (Wait(second, third, WaitingOn.CUSTOMER),)
    assert ticket.resolutions == (
        Resolution(datetime(2026, 1, 3, 7, tzinfo=UTC), fourth),
        Resolution(datetime(2026, 1, 5, 7, tzinfo=UTC)),
    )
    (bad,) = jsonl_of(columns, rows[0] | {"state": "asleep"}, values=values)
    assert isinstance(bad, LineError)
    assert "waiting_on" in bad.reason


def test_json_lines_carry_their_own_waits() -> None:
    columns = {"external_id": "id", "logged_at": "t", "waits": "pauses", "hand_overs": "history"}
    pauses = [
        {"from": "2026-01-01T09:00Z", "to": "2026-01-01T10:00Z", "why": "supplier"},
        {"from": "2026-01-01T11:00Z"},
    ]
    keys = {"start": "from", "end": "to", "on": "why"}
    more = {
        "waits": keys,
        "hand_overs": {"at": "at", "agent": "who"},
        "values": {"waiting_on": {"supplier": "VENDOR"}},
    }
    history = [{"at": "2026-01-01T08:30Z", "who": "a"}, {"at": "2026-01-01T08:40Z", "who": "b"}]
    (ticket,) = jsonl_of(columns, {"id": 1, "t": "2026-01-01T08:00Z", "pauses": pauses, "history": history}, **more)
    assert isinstance(ticket, ReportedTicket)
    hours = {hour: datetime(2026, 1, 1, hour, tzinfo=UTC) for hour in (9, 10, 11)}
    assert ticket.waits == (Wait(hours[9], hours[10], WaitingOn.VENDOR), Wait(hours[11]))
    assert [had.agent for had in ticket.hand_overs] == ["a", "b"]
    (bad,) = jsonl_of(columns, {"id": 1, "t": "2026-01-01T08:00Z", "pauses": "none"}, **more)
    assert isinstance(bad, LineError)
    assert (bad.column, bad.reason) == ("pauses", "The waits are no list of objects.")


def test_a_mapping_of_waits_names_where_they_begin() -> None:
    with pytest.raises(InvalidMapping, match="`waits` lacks `start`"):
        mapping(HALO | {"columns": {"external_id": "a", "logged_at": "b", "waits": "w"}}, UTC_ZONE)
