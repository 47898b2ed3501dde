"""The files of tickets that can be imported, each with how it is read and what counts as an escalation in it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Self
from zoneinfo import ZoneInfo

from domain.escalations import EscalationRule, EscalationTest
from domain.imports import Parsed
from domain.tickets import ReportedTicket, TicketKind
from integrations import (
    bmc,
    ca_service_desk,
    connectwise,
    easyvista,
    freshdesk,
    freshservice,
    groove,
    italian_help_desk,
    jira,
    payload_files,
    rabobank,
    servicenow,
    servicenow_tables,
    tabular,
    volvo,
    zendesk,
)
from integrations.mapping import InvalidMapping, Mapped

ANY_LINE = EscalationRule(EscalationTest.TIER_RAISED)
ANY_TEAM = EscalationRule(EscalationTest.REASSIGNED)


@dataclass(frozen=True, slots=True)
class Format:
    """How one kind of file is read, and what counts as an escalation in it unless the tenant has said."""

    description: str
    read: Callable[[Iterator[str], ZoneInfo, Mapped | None], Iterator[Parsed]]
    system: str | None
    rule: EscalationRule | None = None


def _payloads(maker: str, system: str, read: Callable[[object], tuple[ReportedTicket, ...]]) -> Format:
    return Format(
        f"Bodies as {maker} gives or sends them, one JSON a line.",
        lambda lines, _zone, _: payload_files.parse(lines, read),
        system,
    )


class Source(StrEnum):
    """The files that can be imported; without a system of its own the mapping names it."""

    how: Format

    def __new__(cls, value: str, how: Format) -> Self:
        """Make a member that carries how it is read."""
        source = str.__new__(cls, value)
        source._value_ = value
        source.how = how
        return source

    SERVICENOW = (
        "SERVICENOW",
        Format(
            "ServiceNow's audit log of incidents, one row per update.",
            lambda lines, zone, _: servicenow.parse(lines, zone),
            servicenow.SYSTEM,
            ANY_TEAM,
        ),
    )
    VOLVO = (
        "VOLVO",
        Format(
            "Volvo IT's event log of incidents.", lambda lines, _zone, _: volvo.parse(lines), volvo.SYSTEM, ANY_LINE
        ),
    )
    VOLVO_PROBLEMS = (
        "VOLVO_PROBLEMS",
        Format(
            "Volvo IT's event log of problems.",
            lambda lines, _zone, _: volvo.parse(lines, TicketKind.PROBLEM),
            f"{volvo.SYSTEM}_PROBLEMS",
            ANY_LINE,
        ),
    )
    RABOBANK = (
        "RABOBANK",
        Format(
            "Rabobank's incidents, behind the log of what was done to them in the same file.",
            lambda lines, zone, _: rabobank.parse(lines, zone),
            rabobank.SYSTEM,
            ANY_TEAM,
        ),
    )
    HELPDESK_ITALY = (
        "HELPDESK_ITALY",
        Format(
            "The event log of an Italian help desk; it names no clients.",
            lambda lines, _zone, _: italian_help_desk.parse(lines),
            italian_help_desk.SYSTEM,
            ANY_TEAM,
        ),
    )
    ZENDESK = ("ZENDESK", _payloads("Zendesk", zendesk.SYSTEM, zendesk.parse))
    FRESHDESK = ("FRESHDESK", _payloads("Freshdesk", freshdesk.SYSTEM, freshdesk.parse))
    FRESHSERVICE = ("FRESHSERVICE", _payloads("Freshservice", freshservice.SYSTEM, freshservice.parse))
    JIRA = ("JIRA", _payloads("Jira", jira.SYSTEM, jira.parse))
    CONNECTWISE = ("CONNECTWISE", _payloads("ConnectWise", connectwise.SYSTEM, connectwise.parse))
    BMC = ("BMC", _payloads("BMC Helix ITSM", bmc.SYSTEM, bmc.parse))
    SERVICENOW_TABLES = (
        "SERVICENOW_TABLES",
        _payloads("ServiceNow's Table API", servicenow_tables.SYSTEM, servicenow_tables.parse),
    )
    GROOVE = ("GROOVE", _payloads("Groove", groove.SYSTEM, groove.parse))
    EASYVISTA = ("EASYVISTA", _payloads("EasyVista", easyvista.SYSTEM, easyvista.parse))
    CA_SERVICE_DESK = (
        "CA_SERVICE_DESK",
        _payloads("CA Service Desk Manager", ca_service_desk.SYSTEM, ca_service_desk.parse),
    )
    CSV = (
        "CSV",
        Format(
            "Comma-separated values with a header; a mapping says what the columns mean.",
            lambda lines, _zone, mapped: tabular.parse_csv(lines, _needed(mapped)),
            None,
        ),
    )
    JSONL = (
        "JSONL",
        Format(
            "One JSON object a line; a mapping says what the keys mean.",
            lambda lines, _zone, mapped: tabular.parse_jsonl(lines, _needed(mapped)),
            None,
        ),
    )


def _needed(mapped: Mapped | None) -> Mapped:
    if mapped is None:
        raise InvalidMapping("The file needs a mapping that says what its columns mean.")
    return mapped
