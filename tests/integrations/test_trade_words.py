import pytest

from domain.tickets import Priority, TicketKind, TicketSource, WaitingOn
from integrations.trade_words import domain_of, kind_named, line_named, priority_named, source_named, waiting_named


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("Network L2", 2),
        ("Tier 3 - Databases", 3),
        ("2nd level", 2),
        ("Service Desk Level-1", 1),
        ("1st line support", 1),
        ("Level 10 hosting", None),
        ("Hotline 24", None),
        ("Team 2", None),
        (None, None),
    ],
)
def test_a_teams_name_may_state_its_support_line(text: str | None, line: int | None) -> None:
    assert line_named(text) == line


@pytest.mark.parametrize(
    ("text", "priority"),
    [
        ("Priority 3 - Normal Response", Priority.P3),
        ("1 - Critical", Priority.P1),
        ("p2", Priority.P2),
        ("5 - Planning", Priority.P4),
        ("Emergency", Priority.P1),
        ("Very high", Priority.P2),
        ("24x7", Priority.UNKNOWN),
        ("whenever", Priority.UNKNOWN),
        (None, Priority.UNKNOWN),
    ],
)
def test_a_priority_is_read_by_its_number_or_else_its_word(text: str | None, priority: Priority) -> None:
    assert priority_named(text) is priority


@pytest.mark.parametrize(
    ("text", "on"),
    [
        ("Awaiting User Info", WaitingOn.CUSTOMER),
        (">Waiting Vendor", WaitingOn.VENDOR),
        ("On Hold", WaitingOn.OTHER),
        ("Pending closure", None),
        ("Waiting for agent", None),
        ("Customer replied", None),
        (None, None),
    ],
)
def test_a_states_name_tells_whom_it_waits_for(text: str | None, on: WaitingOn | None) -> None:
    assert waiting_named(text) is on


def test_a_change_request_is_a_change_and_a_service_request_a_request() -> None:
    names = ["Change Request", "Service Request", "Known problem", "Major Incident", "Bug", "Story", None]
    assert [kind_named(name) for name in names] == [
        TicketKind.CHANGE,
        TicketKind.REQUEST,
        TicketKind.PROBLEM,
        TicketKind.INCIDENT,
        TicketKind.INCIDENT,
        TicketKind.UNKNOWN,
        TicketKind.UNKNOWN,
    ]


def test_a_broken_monitor_is_a_persons_matter_and_what_monitoring_says_an_alert() -> None:
    assert source_named("monitor", "printer", None) is TicketSource.PERSON
    for name in ("Monitoring", "RMM Alert", "prtg", "systems_management"):
        assert source_named(name) is TicketSource.ALERT


def test_of_an_address_only_the_domain_is_read() -> None:
    assert domain_of("Jane Doe <jane@Acme.Example>") == "acme.example"
    for address in ("jane", "jane@", "@host", "jane@local host.example", None, ""):
        assert domain_of(address) is None
