import csv
import gzip
import itertools
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from domain.escalations import EscalationRule, EscalationTest, derive
from domain.imports import LineError, Parsed
from domain.tickets import Priority, ReportedTicket, TicketKind
from integrations import servicenow, volvo
from integrations.lines import UnreadableFile, opened

UTC_ZONE = ZoneInfo("UTC")
HEADER = ",".join(servicenow.COLUMNS)
REASSIGNED = EscalationRule(EscalationTest.REASSIGNED)


def row(number: str = "INC1", **changed: str) -> str:
    cells = {
        "number": number,
        "reassignment_count": "0",
        "opened_at": "29/2/2016 01:16",
        "sys_updated_at": "29/2/2016 01:23",
        "location": "Location 1",
        "category": "Category 5",
        "priority": "3 - Moderate",
        "assignment_group": "Group 56",
        "resolved_at": "29/2/2016 11:29",
        "closed_at": "5/3/2016 12:00",
    } | changed
    return ",".join(cells[column] for column in servicenow.COLUMNS)


def parse(*rows: str, zone: str = "UTC") -> list[ReportedTicket | LineError]:
    lines = iter(line + "\n" for line in (HEADER, *rows))
    return [parsed.outcome for parsed in servicenow.parse(lines, ZoneInfo(zone))]


def tickets(parsed: Iterator[Parsed]) -> list[ReportedTicket]:
    outcomes = [one.outcome for one in parsed]
    assert not [one for one in outcomes if isinstance(one, LineError)]
    return [one for one in outcomes if isinstance(one, ReportedTicket)]


def test_the_rows_of_an_incident_become_one_ticket_with_its_hand_overs() -> None:
    (ticket,) = parse(
        row(),
        row(assignment_group="?", sys_updated_at="1/3/2016 08:00"),
        row(
            assignment_group="Group 24", reassignment_count="1", sys_updated_at="2/3/2016 09:05", location="Location 2"
        ),
    )
    assert isinstance(ticket, ReportedTicket)
    assert (ticket.external_id, ticket.client, ticket.priority) == ("INC1", "Location 2", Priority.P3)
    assert ticket.logged_at == datetime(2016, 2, 29, 1, 16, tzinfo=UTC)
    assert [(one.team, one.reassignments) for one in ticket.hand_overs] == [("Group 56", 0), ("Group 24", 1)]
    assert ticket.hand_overs[1].at == datetime(2016, 3, 2, 9, 5, tzinfo=UTC)


def test_wall_times_are_read_in_the_zone_that_was_named() -> None:
    (ticket,) = parse(row(), zone="America/New_York")
    assert isinstance(ticket, ReportedTicket)
    assert ticket.logged_at == datetime(2016, 2, 29, 6, 16, tzinfo=UTC)


def test_a_bad_line_is_named_by_number_column_and_reason_while_the_good_ones_go_in() -> None:
    outcomes = parse(
        row("INC1"),
        row("INC1", sys_updated_at="31/2/2016 01:23"),
        row("INC2", priority="9 - Whenever"),
        row("INC3", reassignment_count="-1"),
        row("INC4") + ",one cell too many",
        row("INC" + "4" * 300),
        row("INC4", reassignment_count="9" * 5_000),
        row("INC4", location="x" * 300),
        row("INC5"),
    )
    errors = [one for one in outcomes if isinstance(one, LineError)]
    assert [(error.line, error.column, error.value) for error in errors] == [
        (3, "sys_updated_at", "31/2/2016 01:23"),
        (4, "priority", "9 - Whenever"),
        (5, "reassignment_count", "-1"),
        (6, None, None),
        (7, "number", "INC" + "4" * 196 + "…"),
        (8, "reassignment_count", "9" * 199 + "…"),
        (9, "location", "x" * 199 + "…"),
    ]
    assert "none of 1 - Critical" in errors[1].reason
    assert "11 cells, the header 10" in errors[3].reason
    assert [one.external_id for one in outcomes if isinstance(one, ReportedTicket)] == ["INC1", "INC5"]


def test_a_row_that_comes_back_to_an_earlier_incident_does_not_overwrite_it() -> None:
    outcomes = parse(row("INC1"), row("INC2"), row("INC1"))
    errors = [one for one in outcomes if isinstance(one, LineError)]
    assert [(error.line, error.value) for error in errors] == [(4, "INC1")]
    assert len(outcomes) == 3


def test_a_ticket_without_end_is_cut_where_memory_would_begin_to_matter() -> None:
    outcomes = parse(*[row("INC1")] * 10_003, row("INC2"))
    errors = [one for one in outcomes if isinstance(one, LineError)]
    assert [error.line for error in errors] == [10_002, 10_003, 10_004]
    assert [one.external_id for one in outcomes if isinstance(one, ReportedTicket)] == ["INC1", "INC2"]


def test_a_file_without_the_columns_is_refused_at_once() -> None:
    with pytest.raises(UnreadableFile, match="lacks opened_at"):
        list(servicenow.parse(iter([HEADER.replace("opened_at,", "") + "\n"]), UTC_ZONE))
    with pytest.raises(UnreadableFile, match="is empty"):
        list(servicenow.parse(iter([]), UTC_ZONE))


def test_a_file_is_read_plain_or_packed_and_one_cut_short_says_where(tmp_path: Path) -> None:
    text = "\n".join([HEADER, *(row(f"INC{n}") for n in range(400))]).encode()
    plain, packed, torn = tmp_path / "log.csv", tmp_path / "log.bin", tmp_path / "torn.csv.gz"
    plain.write_bytes(b"\xef\xbb\xbf" + text)
    packed.write_bytes(gzip.compress(text))
    torn.write_bytes(gzip.compress(text)[:-200])
    for path in (plain, packed):
        with opened(path) as lines:
            assert len(tickets(servicenow.parse(lines, UTC_ZONE))) == 400
    with opened(torn) as lines, pytest.raises(UnreadableFile, match=r"torn\.csv\.gz breaks off"):
        list(servicenow.parse(lines, UTC_ZONE))
    with pytest.raises(UnreadableFile, match="can't be opened"), opened(tmp_path / "nowhere.csv"):
        pass


def test_bytes_that_are_not_utf8_spoil_their_own_line_alone(tmp_path: Path) -> None:
    path = tmp_path / "latin.csv"
    path.write_bytes("\n".join([HEADER, row("INC1", location="Zürich"), row("INC2")]).encode("latin-1"))
    with opened(path) as lines:
        outcomes = [one.outcome for one in servicenow.parse(lines, UTC_ZONE)]
    assert isinstance(outcomes[0], LineError)
    assert (outcomes[0].line, outcomes[0].column, outcomes[0].value) == (2, "location", "Z\\udcfcrich")
    assert isinstance(outcomes[1], ReportedTicket)


@pytest.mark.parametrize(
    ("team", "line"), [("V13 2nd 3rd", 2), ("V5 3rd", 3), ("G97", 1), ("N26 2nd", 2), ("X NOT USE!", 1), ("", None)]
)
def test_the_support_line_is_read_from_the_teams_name(team: str, line: int | None) -> None:
    assert volvo.support_line(team) == line


def test_a_case_is_resolved_when_it_was_last_completed_not_when_it_was_closed() -> None:
    header = ",".join(volvo.COLUMNS)
    steps = [
        ("01", "Completed", "Resolved"),
        ("02", "Accepted", "In Progress"),
        ("03", "Completed", "Resolved"),
        ("08", "Completed", "Closed"),
    ]
    rows = [f"1-1,2012-04-{day}T08:00:00+02:00,{status},{sub},High,P,G97,se" for day, status, sub in steps]
    (ticket,) = tickets(volvo.parse(iter(line + "\n" for line in (header, *rows))))
    assert ticket.resolved_at == datetime(2012, 4, 3, 6, tzinfo=UTC)
    assert ticket.closed_at == datetime(2012, 4, 8, 6, tzinfo=UTC)


def test_servicenows_log_yields_what_the_file_itself_says(real_data: Path) -> None:
    path = real_data / "incidents_servicenow" / "incident_event_log.csv.gz"
    counts: dict[str, int] = defaultdict(int)
    places: dict[str, str] = {}
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for line in csv.DictReader(file):
            counts[line["number"]] = max(counts[line["number"]], int(line["reassignment_count"]))
            if line["location"] != "?":
                places[line["number"]] = line["location"]
    with opened(path) as lines:
        read = tickets(servicenow.parse(lines, UTC_ZONE))
    assert len(read) == len(counts) == 17_136
    escalated = {ticket.external_id: sum(one.times for one in derive(REASSIGNED, ticket.hand_overs)) for ticket in read}
    assert escalated == counts
    assert round(100 * sum(times > 0 for times in escalated.values()) / len(read), 1) == 48.7
    assert {ticket.external_id: ticket.client for ticket in read if ticket.client} == places


def test_volvos_log_yields_the_support_lines_that_the_file_itself_shows(real_data: Path) -> None:
    path = real_data / "incidents_volvo" / "incidents.csv.gz"
    lines_of: dict[str, list[int]] = defaultdict(list)
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for event in csv.DictReader(file):
            team = event["support_team"]
            lines_of[event["case_id"]].append(2 if " 2nd" in team else 3 if team.endswith("3rd") else 1)
    pushed_on = {
        case for case, seen in lines_of.items() if any(1 in seen[:n] and line > 1 for n, line in enumerate(seen))
    }
    raised = sum(sum(1 for a, b in itertools.pairwise(seen) if b > a) for seen in lines_of.values())
    with opened(path) as lines:
        read = tickets(volvo.parse(lines))
    first_line = EscalationRule(EscalationTest.TIER_RAISED, from_tier=1)
    any_line = EscalationRule(EscalationTest.TIER_RAISED)
    assert len(read) == len(lines_of) == 4_646
    assert {ticket.external_id for ticket in read if derive(first_line, ticket.hand_overs)} == pushed_on
    assert sum(len(derive(any_line, ticket.hand_overs)) for ticket in read) == raised


@pytest.mark.parametrize(("name", "cases"), [("closed_problems", 1_487), ("open_problems", 819)])
def test_volvos_problem_logs_are_read_whole(real_data: Path, name: str, cases: int) -> None:
    with opened(real_data / "incidents_volvo" / f"{name}.csv.gz") as lines:
        read = tickets(volvo.parse(lines, TicketKind.PROBLEM))
    assert len(read) == cases
    assert {ticket.kind for ticket in read} == {TicketKind.PROBLEM}
