import csv
import gzip
import itertools
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from domain.escalations import EscalationRule, EscalationTest, derive
from domain.imports import LineError, Parsed
from domain.tickets import (
    EscalationKind,
    HandOver,
    Priority,
    ReportedEscalation,
    ReportedTicket,
    Resolution,
    SlaResult,
    SlaTarget,
    TicketKind,
    Wait,
    WaitingOn,
)
from integrations import italian_help_desk, rabobank, servicenow, volvo
from integrations.lines import UnreadableFile, opened
from tests.support.reports import at, resolved, said

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
UTC_ZONE = ZoneInfo("UTC")

ACTIVITIES = ",".join(rabobank.ACTIVITY_COLUMNS)
INCIDENTS = ",".join(rabobank.COLUMNS)


def tickets(parsed: Iterator[Parsed]) -> list[ReportedTicket]:
    outcomes = [one.outcome for one in parsed]
    assert not [one for one in outcomes if isinstance(one, LineError)]
    return [one for one in outcomes if isinstance(one, ReportedTicket)]


def text(*lines: str) -> Iterator[str]:
    return iter([f"{line}\n" for line in lines])


def table(path: Path) -> list[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def activity(when: str, kind: str, group: str, number: str = "1", incident: str = "IM1") -> str:
    return f"{incident},2013-11-{when},{number},{kind},{group}"


def incident(number: str = "IM1", **changed: str) -> str:
    cells = {
        "incident_id": number,
        "service_component_wbs_aff": "WBS000088",
        "ci_name_aff": "WBA000124",
        "ci_type_aff": "application",
        "priority": "2",
        "category": "incident",
        "count_reassignments": "1",
        "open_time": "2013-11-04 09:00:00",
        "reopen_time": "2013-11-06 09:00:00",
        "resolved_time": "2013-11-06 10:00:00",
        "close_time": "2013-11-06 10:00:05",
    } | changed
    return ",".join(cells[column] for column in rabobank.COLUMNS)


def test_an_incident_and_what_was_done_to_it_become_one_ticket() -> None:
    lines = text(
        ACTIVITIES,
        activity("05 12:00:00", "Closed", "TEAM2"),
        activity("04 08:00:03", "Open", "TEAM1"),
        activity("04 09:30:00", "Operator Update", "TEAM9"),
        activity("04 10:00:00", "External Vendor Assignment", "TEAM1", "3"),
        activity("04 10:00:00", "Reassignment", "TEAM2", "2"),
        activity("06 09:00:04", "Reopen", "TEAM2"),
        activity("06 10:00:07", "Closed", "TEAM2"),
        INCIDENTS,
        incident(),
    )
    (ticket,) = tickets(rabobank.parse(lines, UTC_ZONE))
    assert said(ticket) == {
        "external_id": "IM1",
        "client": "WBS000088",
        "logged_at": at("2013-11-04T09:00:00"),
        "kind": TicketKind.INCIDENT,
        "priority": Priority.P2,
        "category": "application",
        "closed_at": at("2013-11-06T10:00:05"),
        "changed_at": at("2013-11-06T10:00:05"),
        "hand_overs": (
            HandOver(at("2013-11-04T09:00:00"), "TEAM1", reassignments=0),
            HandOver(at("2013-11-04T10:00:00"), "TEAM2", reassignments=1),
        ),
        "device": "WBA000124",
        "resolutions": (
            Resolution(at("2013-11-05T12:00:00"), at("2013-11-06T09:00:04")),
            Resolution(at("2013-11-06T10:00:00")),
        ),
        "times_reopened": 1,
        "escalations": (
            ReportedEscalation(
                at("2013-11-04T10:00:00"), EscalationKind.VENDOR, "TEAM1", reason="External Vendor Assignment"
            ),
        ),
    }


def test_incidents_alone_tell_how_often_and_not_by_whom_they_were_had() -> None:
    (ticket,) = tickets(rabobank.parse(text(INCIDENTS, incident()), AMSTERDAM))
    assert ticket.logged_at == at("2013-11-04T08:00:00")
    assert [(had.team, had.reassignments) for had in ticket.hand_overs] == [(None, 0), (None, 1)]
    assert (ticket.resolutions, ticket.reopenings) == (resolved("2013-11-06T09:00:00"), 1)


def test_a_bad_line_of_either_table_is_named_by_its_line_in_the_file() -> None:
    lines = text(
        ACTIVITIES,
        activity("31 08:00:00", "Open", "TEAM1"),
        activity("04 08:00:00", "Open", "T" * 201),
        INCIDENTS,
        incident("IM1", priority="high"),
        incident("IM2", open_time="04.11.2013"),
        incident("IM3"),
    )
    outcomes = [one.outcome for one in rabobank.parse(lines, UTC_ZONE)]
    errors = [one for one in outcomes if isinstance(one, LineError)]
    assert [(one.line, one.column) for one in errors] == [
        (2, "timestamp"),
        (3, "assignment_group"),
        (5, "priority"),
        (6, "open_time"),
    ]
    assert [one.external_id for one in outcomes if isinstance(one, ReportedTicket)] == ["IM3"]


def test_the_two_tables_are_wanted_in_their_order() -> None:
    (alone,) = [one.outcome for one in rabobank.parse(text(ACTIVITIES, activity("04 08:00:00", "Open", "A")), UTC_ZONE)]
    assert isinstance(alone, LineError)
    assert "join the incidents to it" in alone.reason
    turned = text(INCIDENTS, incident(), ACTIVITIES, activity("04 08:00:00", "Open", "A"))
    with pytest.raises(UnreadableFile, match="the other way round"):
        list(rabobank.parse(turned, UTC_ZONE))


def test_every_incident_of_rabobank_is_read_out_of_the_two_files_joined(real_data: Path, tmp_path: Path) -> None:
    folder, joined = real_data / "incidents_rabobank", tmp_path / "rabobank.csv.gz"
    names = ("activities.csv.gz", "incidents.csv.gz")
    joined.write_bytes(b"".join((folder / name).read_bytes() for name in names))
    activities, incidents = (table(folder / name) for name in names)
    with opened(joined) as lines:
        read = tickets(rabobank.parse(lines, AMSTERDAM))
    kinds = Counter(row["incident_activity_type"] for row in activities)
    assert len(read) == len(incidents) == 2_464
    assert Counter(str(one.priority) for one in read) == Counter({"P2": 48, "P3": 334, "P4": 1_131 + 951})
    assert Counter(one.kind for one in read) == {TicketKind.INCIDENT: 1_919, TicketKind.REQUEST: 545}
    assert sum(len(one.escalations) for one in read) == kinds["External Vendor Assignment"] == 235
    reopened = {row["incident_id"] for row in activities if row["incident_activity_type"] == "Reopen"}
    reopened |= {row["incident_id"] for row in incidents if row["reopen_time"]}
    assert {one.external_id for one in read if one.reopenings} == reopened
    assert sum(one.reopenings for one in read) == kinds["Reopen"] + 8
    rule = EscalationRule(EscalationTest.REASSIGNED)
    counted = sum(found.times for one in read for found in derive(rule, one.hand_overs))
    assert counted == kinds["Reassignment"] == 3_131


def test_an_italian_ticket_waits_is_resolved_reopened_and_upgraded() -> None:
    steps = [
        ("08:00", "Assign seriousness", "Value 1"),
        ("08:30", "Take in charge ticket", "Value 2"),
        ("09:00", "Wait", "Value 2"),
        ("09:30", "Wait", "Value 2"),
        ("10:00", "Require upgrade", "Value 2"),
        ("10:30", "Take in charge ticket", "Value 3"),
        ("11:00", "Resolve ticket", "Value 3"),
        ("12:00", "Take in charge ticket", "Value 3"),
        ("13:00", "Resolve ticket", "Value 3"),
        ("18:00", "Closed", "Value 5"),
    ]
    rows = [f"Case1,2010-03-19T{when}:00Z,{activity},{agent}" for when, activity, agent in steps]
    (ticket,) = tickets(italian_help_desk.parse(text("case_id,timestamp,activity,agent", *rows)))
    assert said(ticket) == {
        "external_id": "Case1",
        "logged_at": at("2010-03-19T08:00:00"),
        "closed_at": at("2010-03-19T18:00:00"),
        "changed_at": at("2010-03-19T18:00:00"),
        "hand_overs": (
            HandOver(at("2010-03-19T08:30:00"), None, agent="Value 2"),
            HandOver(at("2010-03-19T10:30:00"), None, agent="Value 3"),
        ),
        "first_responded_at": at("2010-03-19T08:30:00"),
        "resolutions": (
            Resolution(at("2010-03-19T11:00:00"), at("2010-03-19T12:00:00")),
            Resolution(at("2010-03-19T13:00:00")),
        ),
        "waits": (Wait(at("2010-03-19T09:00:00"), at("2010-03-19T10:00:00"), WaitingOn.OTHER),),
        "escalations": (
            ReportedEscalation(at("2010-03-19T10:00:00"), EscalationKind.FUNCTIONAL, reason="Require upgrade"),
        ),
    }


def test_the_italian_log_tells_the_same_as_its_rows_counted(real_data: Path) -> None:
    path = real_data / "helpdesk_italy" / "helpdesk.csv.gz"
    cases: dict[str, list[str]] = defaultdict(list)
    for row in table(path):
        cases[row["case_id"]].append(row["activity"])
    with opened(path) as lines:
        read = {one.external_id: one for one in tickets(italian_help_desk.parse(lines))}
    assert len(read) == len(cases) == 2_988
    ends = ("Resolve ticket", "RESOLVED", "Closed", "VERIFIED", "INVALID", "DUPLICATE")
    for case, activities in cases.items():
        ended = [activity in ends for activity in activities]
        again = sum(before and not after for before, after in itertools.pairwise(ended))
        waits = sum(a == "Wait" and b != "Wait" for a, b in zip(activities, [*activities[1:], ""], strict=True))
        ticket = read[case]
        assert (ticket.reopenings, len(ticket.waits)) == (again, waits)
        assert (ticket.resolved_at is not None) == ended[-1]
        assert (ticket.first_responded_at is not None) == ("Take in charge ticket" in activities)


def test_servicenows_states_tell_waits_reopenings_and_the_agreement() -> None:
    header = (*servicenow.COLUMNS, "incident_state", "reopen_count", "assigned_to", "made_sla", "cmdb_ci")
    steps = [
        ("1/3/2016 09:00", "New", "0", "?", "true"),
        ("1/3/2016 10:00", "Awaiting User Info", "0", "Resolver 1", "true"),
        ("1/3/2016 11:00", "Awaiting Vendor", "0", "Resolver 1", "true"),
        ("1/3/2016 12:00", "Resolved", "0", "Resolver 1", "true"),
        ("2/3/2016 09:00", "Active", "1", "Resolver 2", "true"),
        ("2/3/2016 09:30", "-100", "1", "?", "true"),
        ("2/3/2016 10:00", "Resolved", "1", "Resolver 2", "true"),
        ("9/3/2016 10:00", "Closed", "1", "Resolver 2", "false"),
    ]
    rows = [
        f"INC1,0,1/3/2016 08:00,{when},Place,Kind,1 - Critical,Group 1,2/3/2016 09:55,9/3/2016 10:00,"
        f"{state},{reopened},{agent},{made},cmdb_ci 7"
        for when, state, reopened, agent, made in steps
    ]
    (ticket,) = tickets(servicenow.parse(text(",".join(header), *rows), UTC_ZONE))
    assert ticket.waits == (
        Wait(at("2016-03-01T10:00:00"), at("2016-03-01T11:00:00"), WaitingOn.CUSTOMER),
        Wait(at("2016-03-01T11:00:00"), at("2016-03-01T12:00:00"), WaitingOn.VENDOR),
    )
    assert ticket.resolutions == (
        Resolution(at("2016-03-01T12:00:00"), at("2016-03-02T09:00:00")),
        Resolution(at("2016-03-02T09:55:00")),
    )
    assert [had.agent for had in ticket.hand_overs] == [None, "Resolver 1", "Resolver 2"]
    assert (ticket.reopenings, ticket.device) == (1, "cmdb_ci 7")
    assert ticket.resolution_sla == SlaTarget(result=SlaResult.MISSED)


def test_servicenows_log_tells_the_same_as_its_rows_counted(real_data: Path) -> None:
    path = real_data / "incidents_servicenow" / "incident_event_log.csv.gz"
    last: dict[str, dict[str, str]] = {}
    waits: Counter[str] = Counter()
    state: dict[str, str] = {}
    for row in table(path):
        number = row["number"]
        awaits = row["incident_state"] if row["incident_state"] in servicenow.WAITS else ""
        on = servicenow.WAITS.get(awaits, "")
        waits[number] += bool(on) and on != state.get(number, "")
        state[number], last[number] = on, row
    with opened(path) as lines:
        read = {one.external_id: one for one in tickets(servicenow.parse(lines, UTC_ZONE))}
    assert len(read) == len(last) == 17_136
    for number, row in last.items():
        ticket = read[number]
        assert ticket.reopenings == int(row["reopen_count"])
        assert len(ticket.waits) == waits[number]
        assert ticket.resolution_sla == SlaTarget(
            result=SlaResult.MET if row["made_sla"] == "true" else SlaResult.MISSED
        )
        assert ticket.resolved_at is not None
        assert len([one for one in ticket.resolutions if one.reopened_at]) <= ticket.reopenings


def test_a_case_of_volvo_waits_and_goes_on_after_it_was_completed() -> None:
    steps = [
        ("01", "Accepted", "Wait - User"),
        ("02", "Accepted", "Wait - Vendor"),
        ("03", "Completed", "In Call"),
        ("04", "Queued", "Awaiting Assignment"),
        ("05", "Completed", "Resolved"),
        ("06", "Completed", "Closed"),
    ]
    rows = [f"1-1,2012-04-{day}T08:00:00+00:00,{status},{sub},High,P,G97,se" for day, status, sub in steps]
    (ticket,) = tickets(volvo.parse(text(",".join(volvo.COLUMNS), *rows)))
    assert ticket.waits == (
        Wait(at("2012-04-01T08:00:00"), at("2012-04-02T08:00:00"), WaitingOn.CUSTOMER),
        Wait(at("2012-04-02T08:00:00"), at("2012-04-03T08:00:00"), WaitingOn.VENDOR),
    )
    assert ticket.resolutions == (
        Resolution(at("2012-04-03T08:00:00"), at("2012-04-04T08:00:00")),
        Resolution(at("2012-04-05T08:00:00")),
    )
    assert ticket.first_contact is False


def test_volvos_log_tells_the_same_as_its_rows_counted(real_data: Path) -> None:
    path = real_data / "incidents_volvo" / "incidents.csv.gz"
    cases: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in table(path):
        cases[row["case_id"]].append(row)
    with opened(path) as lines:
        read = {one.external_id: one for one in tickets(volvo.parse(lines))}
    for case, rows in cases.items():
        done = [row["status"] == "Completed" for row in rows]
        assert read[case].reopenings == sum(a and not b for a, b in itertools.pairwise(done))
        told = [row["sub_status"] for row in rows if row["sub_status"] in ("In Call", "Resolved")]
        assert read[case].first_contact == (None if not told else told[-1] == "In Call")
