"""Northwind's clients in service: some in steady state for long, some in their first ninety days, one gone."""

from demo.engagements import Engagement
from demo.northwind import client
from demo.tales import Tale
from domain.clients import ContractScope, ContractStatus, ContractType, Party
from domain.follow_ups import FollowUpKind
from domain.moves import Gate, Move
from domain.onboarding import EndReason, HoldReason
from domain.stages import Stage

MANAGED_LATER = {
    Gate.DEVICES_MANAGED: "Thin clients in the depot are replaced next week; the sponsor agreed by e-mail.",
    Gate.DEVICES_DECIDED: "Nobody decides on the depot's old devices any more: they go.",
}
SAVING = FollowUpKind.SAVE_CLIENT
HOURS_FOLLOW = {Gate.COVERAGE_HOURS: "The hours are in the contract that is on its way: office hours."}
NO_SIGNATURE_YET = "Signed on paper, the scan is on its way; the client's director confirmed it by telephone."


def stories(tale: Tale) -> list[Engagement]:
    """Tell of every client that is or was served."""
    return [
        _kestrel(tale),
        _brightwater(tale),
        _alder(tale),
        _marlow(tale),
        _solstice(tale),
        _vantage(tale),
        _halcyon(tale),
        _orchard(tale),
        _tidewater(tale),
        _copperline(tale),
        _fernhill(tale),
        _larkspur(tale),
    ]


def _until_discovery(engagement: Engagement, opened: int, signed: int, discovery: int) -> Engagement:
    engagement.on(opened).is_taken_on().opens()
    engagement.on(opened + 2).contract_becomes(ContractStatus.SENT)
    engagement.on(opened + 4).contract_becomes(ContractStatus.NEGOTIATING, waiting_on=Party.PROVIDER)
    engagement.on(signed).signs()
    return engagement.on(discovery).begins_discovery()


def _until_live(engagement: Engagement, opened: int, signed: int, discovery: int, live: int) -> Engagement:
    _until_discovery(engagement, opened, signed, discovery)
    engagement.on(discovery + 3).is_searched()
    engagement.on(live - 5).devices_are_decided().services_are_mapped()
    return engagement.on(live).is_searched().goes_live()


def _graduates(engagement: Engagement, day: int) -> Engagement:
    """Graduate, and keep within two weeks whatever had to be promised for it."""
    engagement.on(day).graduates().is_worked_on(1.0, until=day + 70)
    return engagement.on(day + 12).follow_ups_are_closed("Done and seen by the client's sponsor.")


def _kestrel(tale: Tale) -> Engagement:
    """The oldest client: everything went by the book."""
    kestrel = client(tale, "C-1001", "Kestrel Logistics", "Logistics", 140, "Lena", hours="24x7", calm=0.10)
    _until_live(kestrel, -640, -632, -630, -606)
    return _graduates(kestrel, -505)


def _brightwater(tale: Tale) -> Engagement:
    brightwater = client(tale, "C-1002", "Brightwater Dental Group", "Healthcare", 85, "Mei", calm=0.13)
    _until_live(brightwater, -612, -603, -600, -574)
    return _graduates(brightwater, -478)


def _alder(tale: Tale) -> Engagement:
    """One soft gate was waived at the start of service, and made good."""
    alder = client(tale, "C-1003", "Alder & Finch Legal", "Legal", 60, "Tomas", calm=0.09, troubled=0.30)
    _until_discovery(alder, -566, -558, -556)
    alder.on(-552).is_searched().on(-532).devices_are_decided(0.88, explained=False).services_are_mapped()
    alder.on(-528).is_searched().goes_live(MANAGED_LATER)
    alder.on(-519).devices_are_decided().follow_ups_are_closed("All thin clients are managed since Monday.")
    return _graduates(alder, -430)


def _marlow(tale: Tale) -> Engagement:
    """Went live on a wrong list of devices, was rolled back, and went live again."""
    marlow = client(tale, "C-1004", "Marlow Foods", "Food production", 190, "Lena", calm=0.15, troubled=0.48)
    _until_live(marlow, -470, -460, -457, -431)
    marlow.on(-422).rolls_back(Stage.ASSET_DISCOVERY, "The device list left out the second plant; we search again.")
    marlow.on(-415).is_searched(1.2).on(-404).devices_are_decided(0.98)
    marlow.on(-402).is_searched(1.2).goes_live()
    return _graduates(marlow, -310)


def _solstice(tale: Tale) -> Engagement:
    """Began before the contract was back: a hard gate, waived by two people."""
    solstice = client(tale, "C-1005", "Solstice Architects", "Architecture", 40, "Mei", calm=0.08)
    solstice.on(-336).is_taken_on().opens()
    solstice.on(-333).contract_becomes(ContractStatus.SENT)
    solstice.on(-330).asks_waiver(Move.BEGIN_DISCOVERY, Gate.CONTRACT_SIGNED, NO_SIGNATURE_YET)
    solstice.on(-329).second_person_grants().begins_discovery(HOURS_FOLLOW)
    solstice.on(-326).signs().is_searched()
    solstice.on(-322).follow_ups_are_closed("The scan is in the file.")
    solstice.on(-305).devices_are_decided().services_are_mapped().on(-303).is_searched().goes_live()
    return _graduates(solstice, -208)


def _vantage(tale: Tale) -> Engagement:
    """Graduated on a promise that is still open, and has given notice."""
    vantage = client(tale, "C-1006", "Vantage Property", "Real estate", 70, "Tomas", calm=0.14, troubled=0.40)
    _until_live(vantage, -246, -238, -235, -207)
    promise = {Gate.DOCUMENTATION_SIGNED_OFF: "Network drawings follow after the move to the new office."}
    vantage.on(-112).graduates(promise)
    vantage.on(-12).gives_notice(EndReason.PRICE, "A cheaper offer; the contract ends with the quarter.", ends=78)
    return vantage.is_worked_on(0.3)


def _halcyon(tale: Tale) -> Engagement:
    """Left at the end of its contract."""
    halcyon = client(tale, "C-1007", "Halcyon Travel", "Travel", 55, "Mei", calm=0.21, troubled=0.44)
    halcyon.on(-505).is_taken_on().opens().on(-502).contract_becomes(ContractStatus.SENT)
    halcyon.on(-498).signs(ends=-64).on(-495).begins_discovery()
    halcyon.on(-492).is_searched().on(-470).devices_are_decided().services_are_mapped()
    halcyon.on(-468).is_searched().goes_live()
    _graduates(halcyon, -374)
    halcyon.on(-150).gives_notice(EndReason.CONTRACT_ENDED, "The group bundles its IT abroad.", ends=-64)
    halcyon.on(-66).devices_are_released().follow_ups_are_closed("They stay with their decision.")
    halcyon.on(-63).is_offboarded(EndReason.CONTRACT_ENDED, "The contract ended; the group bundles its IT abroad.")
    return halcyon.on(-62).contract_becomes(ContractStatus.ENDED)


def _orchard(tale: Tale) -> Engagement:
    """Near day 90 with too many escalations and an outage that is not over."""
    orchard = client(tale, "C-1008", "Orchard Primary Care", "Healthcare", 110, "Lena", calm=0.42, troubled=0.52)
    _until_live(orchard, -118, -84, -82, -60)
    orchard.is_worked_on(0.8, until=-8)
    orchard.on(-5).promises("Ask the practice manager what would win her back", kind=SAVING, for_days=10)
    return orchard.on(-2).suffers("Line-of-business application")


def _tidewater(tale: Tale) -> Engagement:
    """Half-way, and on track."""
    tidewater = client(tale, "C-1009", "Tidewater Marine", "Shipping", 55, "Mei", hours="Mon-Sat 06:00-22:00")
    return _until_live(tidewater, -76, -60, -58, -38).is_worked_on(0.4)


def _copperline(tale: Tale) -> Engagement:
    """Has just gone live, with servers that two people have not agreed on yet."""
    copperline = client(
        tale, "C-1010", "Copperline Manufacturing", "Manufacturing", 180, "Tomas", calm=0.14, troubled=0.45
    )
    _until_discovery(copperline, -52, -40, -37)
    copperline.on(-34).is_searched().on(-14).devices_are_decided(0.9, explained=False)
    copperline.services_are_mapped(but="Internet access").on(-12).is_searched()
    spare = {Gate.CRITICAL_SERVICES_MAPPED: "The carrier names its routers next week; service may begin without."}
    return copperline.goes_live(MANAGED_LATER | spare)


def _fernhill(tale: Tale) -> Engagement:
    """Past its day 90: late, and only papers are missing."""
    fernhill = client(tale, "C-1011", "Fernhill Academy", "Education", 95, "Lena", calm=0.07, troubled=0.22)
    _until_live(fernhill, -140, -118, -115, -96)
    fernhill.is_worked_on(0.6, until=-20)
    return fernhill.on(-13).tries(Move.GRADUATE).on(-6).attests(Gate.DAY_90_SURVEY)


def _larkspur(tale: Tale) -> Engagement:
    """Held in the middle of early support, by its own auditors."""
    larkspur = client(
        tale,
        "C-1012",
        "Larkspur Insurance",
        "Insurance",
        75,
        "Mei",
        type=ContractType.CO_MANAGED,
        scope=(ContractScope.ENDPOINTS, ContractScope.SECURITY, ContractScope.SERVICE_DESK),
    )
    _until_live(larkspur, -92, -70, -67, -46)
    larkspur.is_worked_on(0.4, until=-12)
    return larkspur.on(-9).is_held(HoldReason.LEGAL, "Auditors froze all changes until their report.", for_days=21)
