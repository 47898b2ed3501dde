"""Northwind's clients on their way into service, and those who never came."""

from demo.engagements import Engagement
from demo.northwind import client
from demo.tales import Tale
from domain.clients import ContractScope, ContractStatus, ContractType, Party
from domain.hand_off import HandOffField
from domain.moves import Gate, Move
from domain.onboarding import EndReason, HoldReason

WITHOUT_DEVICES = (ContractScope.SAAS, ContractScope.SERVICE_DESK)


def stories(tale: Tale) -> list[Engagement]:
    """Tell of every client that is not served, or not yet."""
    return [
        _ironbridge(tale),
        _juniper(tale),
        _quayside(tale),
        _pinnacle(tale),
        _redwood(tale),
        _silverbirch(tale),
        _westgate(tale),
        _harrow(tale),
        _greyfriars(tale),
        _northgate(tale),
    ]


def _ironbridge(tale: Tale) -> Engagement:
    """Late in discovery: devices that nobody decides on."""
    ironbridge = client(tale, "C-1013", "Ironbridge Engineering", "Engineering", 130, "Tomas")
    ironbridge.on(-62).is_taken_on().opens().on(-58).contract_becomes(ContractStatus.SENT)
    ironbridge.on(-52).signs().on(-50).begins_discovery()
    ironbridge.on(-46).is_searched().on(-30).devices_are_decided(0.72, explained=False)
    ironbridge.is_worked_on(0.6, until=-10)
    return ironbridge.services_are_mapped(but="Line-of-business application").on(-16).is_searched().tries(Move.GO_LIVE)


def _juniper(tale: Tale) -> Engagement:
    """Early in discovery, on track, nothing searched yet."""
    juniper = client(tale, "C-1014", "Juniper Hospitality", "Hospitality", 65, "Mei", hours="24x7")
    juniper.on(-24).is_taken_on().opens().on(-21).contract_becomes(ContractStatus.SENT)
    return juniper.on(-13).signs().on(-8).begins_discovery().is_worked_on(0.15)


def _quayside(tale: Tale) -> Engagement:
    """Held in discovery: the client has no time before its premiere."""
    quayside = client(tale, "C-1015", "Quayside Theatre", "Culture", 35, "Lena", type=ContractType.CO_MANAGED)
    quayside.on(-48).is_taken_on().opens().on(-45).contract_becomes(ContractStatus.SENT)
    quayside.on(-38).signs().on(-35).begins_discovery().on(-30).is_searched()
    quayside.is_worked_on(0.4, until=-12)
    return quayside.on(-11).is_held(HoldReason.CLIENT, "No access to the house before the premiere.", for_days=16)


def _pinnacle(tale: Tale) -> Engagement:
    """Ready to go live: every gate is open, somebody has to do it."""
    pinnacle = client(tale, "C-1016", "Pinnacle Sportswear", "Retail", 80, "Lena")
    pinnacle.on(-44).is_taken_on().opens().on(-40).contract_becomes(ContractStatus.SENT)
    pinnacle.on(-31).signs().on(-23).begins_discovery()
    pinnacle.on(-20).is_searched().on(-3).devices_are_decided(0.98).services_are_mapped()
    return pinnacle.on(-1).is_searched().is_worked_on(1.0, until=-1)


def _redwood(tale: Tale) -> Engagement:
    """New: the contract lies with the client."""
    redwood = client(tale, "C-1017", "Redwood Accountants", "Accounting", 28, "Mei", scope=WITHOUT_DEVICES)
    redwood.on(-4).is_taken_on().opens().on(-2).contract_becomes(ContractStatus.SENT)
    return redwood.hands_off(HandOffField.PROMISES, HandOffField.RISKS).is_worked_on(0.25)


def _silverbirch(tale: Tale) -> Engagement:
    """Wants to begin before it signs: the waiver of a hard gate waits for its second person."""
    silverbirch = client(tale, "C-1018", "Silverbirch Care Homes", "Healthcare", 210, "Lena")
    silverbirch.on(-13).is_taken_on().opens().on(-10).contract_becomes(ContractStatus.SENT)
    silverbirch.on(-6).contract_becomes(ContractStatus.NEGOTIATING, waiting_on=Party.CLIENT)
    silverbirch.on(-9).hands_off().is_worked_on(1.0, until=-4).on(-4).attests(Gate.THRESHOLD_SET)
    begin_early = "The inspection is in three weeks; the board signs on the first of the month."
    return silverbirch.on(-3).asks_waiver(Move.BEGIN_DISCOVERY, Gate.CONTRACT_SIGNED, begin_early)


def _westgate(tale: Tale) -> Engagement:
    """Late in contracting: our own draft is not finished, the vendor's price is missing."""
    westgate = client(tale, "C-1019", "Westgate Motors", "Automotive", 90, "Tomas")
    westgate.on(-33).is_taken_on().opens().is_worked_on(0.5, until=-12)
    return westgate.on(-9).tries(Move.BEGIN_DISCOVERY)


def _harrow(tale: Tale) -> Engagement:
    """Held in contracting for so long that its review is due."""
    harrow = client(tale, "C-1020", "Harrow & Pike Surveyors", "Surveying", 45, "Mei", type=ContractType.PROJECT)
    harrow.on(-40).is_taken_on().opens().on(-36).contract_becomes(ContractStatus.SENT)
    return harrow.on(-27).is_held(
        HoldReason.VENDOR, "The old provider does not answer about its licences.", for_days=20
    )


def _greyfriars(tale: Tale) -> Engagement:
    """Lost over the price."""
    greyfriars = client(tale, "C-1021", "Greyfriars Print", "Printing", 50, "Tomas")
    greyfriars.on(-172).is_taken_on().opens().on(-168).contract_becomes(ContractStatus.SENT)
    greyfriars.on(-160).contract_becomes(ContractStatus.NEGOTIATING)
    greyfriars.on(-150).is_lost(EndReason.PRICE, "Ours was a third above the winning offer.")
    return greyfriars.contract_becomes(ContractStatus.ENDED)


def _northgate(tale: Tale) -> Engagement:
    """Lost in discovery, and back again after ten months with a new contract."""
    northgate = client(tale, "C-1022", "Northgate Opticians", "Retail", 38, "Mei")
    northgate.on(-330).is_taken_on().opens().on(-326).contract_becomes(ContractStatus.SENT)
    northgate.on(-318).signs().on(-316).begins_discovery().on(-312).is_searched()
    northgate.on(-296).is_lost(EndReason.NO_DECISION, "A merger stopped every new contract.")
    northgate.contract_becomes(ContractStatus.ENDED)
    northgate.on(-12).gets_a_draft(title="Northgate Opticians: managed services, after the merger")
    northgate.opens(reopen=True, by="Samir").on(-8).contract_becomes(ContractStatus.SENT)
    return northgate.on(-2).signs()
