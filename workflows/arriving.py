"""Arriving: what one existing client becomes, worked out before anything of it is written."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from domain.backfill import Backfill, Frame, backfilled
from domain.checklists import Item
from domain.client_rules import client_faults, contact_faults, contract_faults, external_key_faults
from domain.clients import Client, Contact, ContactRole, Contract, ContractScope, ContractStatus, Party, name_key
from domain.definitions import Definition
from domain.effects import EffectKind, PlannedEffect
from domain.errors import UserError, invalid
from domain.gates import ContractFacts, Evidence
from domain.moving_in import Arrival, ArrivalStatus, Arrived, ArrivedEffect, ToldContact, ToldContract, instant
from domain.moving_in_rules import Today, arrival_faults, warnings
from domain.onboarding import Cycle, ScopeKind
from domain.own_calendars import Calendars
from domain.stages import ENDS, Stage
from domain.tenants import TenantSettings
from workflows.beginning import before_any_evidence
from workflows.context import new_id
from workflows.stage_checklists import items_of

SAME_NAME = "Another client of this name is there already; this one comes in beside it."
KEPT = "The client is there already without an onboarding: what is known of it stays, and what was not known is added."


@dataclass(frozen=True, slots=True)
class Desk:
    """By what the clients of a batch are judged: the provider's rules, and the members that the rows name."""

    now: datetime
    settings: TenantSettings
    calendars: Calendars
    definition: Definition
    members: Mapping[str, UUID]

    @property
    def today(self) -> Today:
        """When and where dates are judged."""
        return Today(self.now, self.settings.zone)


@dataclass(frozen=True, slots=True)
class Before:
    """A client that is there already, without an onboarding."""

    client: Client
    contacts: Sequence[Contact]
    contracts: Sequence[Contract]


@dataclass(frozen=True, slots=True)
class Arriving:
    """All that one client becomes: what is new of it, and the report of it."""

    told: Arrival
    client: Client
    before: Client | None
    contract: Contract | None
    contacts: tuple[Contact, ...]
    past: Backfill | None
    items: tuple[Item, ...]
    report: Arrived


def judged(told: Arrival, desk: Desk) -> list[UserError]:
    """Return everything that is wrong with one row, each fault by the path of what it is of."""
    faults = [*client_faults(_client(told, desk)), *arrival_faults(told, desk.today)]
    if told.external is not None:
        faults += external_key_faults(told.external, "external")
    client = new_id()
    if told.contract is not None:
        faults += _under(contract_faults(_contract(told.contract, client, desk)), "contract")
    for index, contact in enumerate(told.contacts):
        faults += _under(contact_faults(_contact(contact, client, desk)), "contacts", str(index))
    for field, email in told.emails.items():
        if email not in desk.members:
            faults.append(invalid(f"No active member has the address {email[:60]!r}; invite them first.", field))
    return faults


def arriving(told: Arrival, place: int, desk: Desk, before: Before | None, *, same_name: bool) -> Arriving:
    """Return what a row becomes that nothing stands against."""
    client = _joined(_client(told, desk), before.client) if before else _client(told, desk)
    contracts, people = (before.contracts, before.contacts) if before else ((), ())
    contract = _known_contract(told.contract, contracts)
    new_contract = _contract(told.contract, client.id, desk) if told.contract and contract is None else None
    named = [(index, _contact(one, client.id, desk)) for index, one in enumerate(told.contacts)]
    new = {contact.id: index for index, contact in named if not _known_contact(contact, people)}
    contacts = tuple(contact for _, contact in named if contact.id in new)
    surveyable = tuple(sorted(one.id for one in (*people, *contacts) if one.surveyable))
    agreed = contract or new_contract
    cycle = _cycle(told, client, agreed, desk)
    past = backfilled(told, cycle, _frame(cycle, agreed, surveyable, desk)) if cycle else None
    said = [KEPT] if before else []
    said += [SAME_NAME] if same_name else []
    said += warnings(told, surveyable=bool(surveyable))
    report = Arrived(
        place=place,
        name=client.name,
        status=ArrivalStatus.JOINED if before else ArrivalStatus.CREATED,
        client=client.id,
        contract=new_contract.id if new_contract else None,
        contacts=len(contacts),
        warnings=tuple(said),
    )
    items = _items(past, desk)
    if past is not None:
        report = replace(_with_past(report, past, new, people), items=len(items))
    return Arriving(
        told=told,
        client=client,
        before=before.client if before else None,
        contract=new_contract,
        contacts=contacts,
        past=past,
        items=items,
        report=report,
    )


def _client(told: Arrival, desk: Desk) -> Client:
    named = {field: desk.members.get(email) for field, email in told.emails.items()}
    return Client(
        id=new_id(),
        name=told.name.strip(),
        industry=told.industry.strip() if told.industry else None,
        seats=told.seats,
        owner_id=named.get("ownerEmail"),
        account_manager_id=named.get("accountManagerEmail"),
        cycle_id=None,
        created_at=desk.now,
        version=1,
    )


def _joined(told: Client, known: Client) -> Client:
    """Return a known client with what was not known of it; the name that it has stays."""
    joined = replace(
        known,
        industry=known.industry or told.industry,
        seats=known.seats if known.seats is not None else told.seats,
        owner_id=known.owner_id or told.owner_id,
        account_manager_id=known.account_manager_id or told.account_manager_id,
    )
    return joined if joined == known else replace(joined, version=known.version + 1)


def _contract(told: ToldContract, client: UUID, desk: Desk) -> Contract:
    zone, status = desk.settings.zone, told.standing
    ended = status is ContractStatus.ENDED and told.ends_on
    return Contract(
        id=new_id(),
        client_id=client,
        title=told.title.strip(),
        status=status,
        type=told.type,
        scope=tuple(part for part in ContractScope if part in told.scope),
        seats=told.seats,
        coverage_hours=told.coverage_hours,
        starts_on=told.starts_on,
        ends_on=told.ends_on,
        renews_on=told.renews_on,
        sent_at=instant(told.sent_on, zone) if told.sent_on else None,
        signed_at=instant(told.signed_on, zone) if told.signed_on else None,
        ended_at=instant(told.ends_on, zone) if ended and told.ends_on else None,
        waiting_on=Party.CLIENT if status is ContractStatus.SENT else None,
        created_at=desk.now,
        version=1,
    )


def _contact(told: ToldContact, client: UUID, desk: Desk) -> Contact:
    return Contact(
        id=new_id(),
        client_id=client,
        name=told.name.strip(),
        email=told.email.strip() if told.email else None,
        phone=told.phone.strip() if told.phone else None,
        roles=tuple(role for role in ContactRole if role in told.roles),
        language=told.language,
        opted_out=told.opted_out,
        created_at=desk.now,
        version=1,
    )


def _known_contract(told: ToldContract | None, known: Sequence[Contract]) -> Contract | None:
    """Return the contract that the client has already: of the title told, or, where none is told, its latest."""
    if told is None:
        return known[-1] if known else None
    return next((one for one in known if name_key(one.title) == name_key(told.title)), None)


def _known_contact(contact: Contact, known: Sequence[Contact]) -> bool:
    if contact.email is not None:
        return any(one.email is not None and one.email.lower() == contact.email.lower() for one in known)
    return any(name_key(one.name) == name_key(contact.name) for one in known)


def _cycle(told: Arrival, client: Client, contract: Contract | None, desk: Desk) -> Cycle | None:
    """Return the onboarding as it is before its past is told: whose it is, and by which definition it goes."""
    lead = desk.members.get(told.emails.get("leadEmail", ""))
    if told.stage is None or lead is None:
        return None
    return Cycle(
        id=new_id(),
        client_id=client.id,
        number=1,
        scope_kind=ScopeKind.WHOLE_CLIENT,
        scope_key="",
        contract_id=contract.id if contract else None,
        definition_id=desk.definition.id,
        lead_id=lead,
        account_manager_id=desk.members.get(told.emails.get("accountManagerEmail", "")),
        technical_lead_id=desk.members.get(told.emails.get("technicalLeadEmail", "")),
        engineer_ids=(),
        stage=Stage.CONTRACTING,
        visit_id=new_id(),
        opened_at=desk.now,
        entered_at=desk.now,
        target_at=None,
        held_at=None,
        ended_at=None,
        outcome=None,
        version=0,
        active_at=desk.now,
    )


def _frame(cycle: Cycle, contract: Contract | None, surveyable: tuple[UUID, ...], desk: Desk) -> Frame:
    agreed = None
    if contract is not None:
        agreed = ContractFacts(
            status=contract.status,
            starts_on=contract.starts_on,
            ends_on=contract.ends_on,
            coverage_hours=contract.coverage_hours,
            scope=contract.scope or None,
        )
    facts: Evidence = replace(before_any_evidence(desk.now, desk.settings), contract=agreed, surveyable=surveyable)
    return Frame(desk.definition.rules, facts, desk.calendars.of(cycle), desk.settings.zone, new_id)


def _items(past: Backfill | None, desk: Desk) -> tuple[Item, ...]:
    """Return the checklist of the present stage, due from today on: of what was done elsewhere nothing is known."""
    if past is None or past.cycle.stage in ENDS:
        return ()
    cycle = past.cycle
    return tuple(items_of(cycle, desk.definition.rules, cycle.stage, desk.now, desk.calendars.of(cycle)))


def _with_past(report: Arrived, past: Backfill, new: Mapping[UUID, int], people: Sequence[Contact]) -> Arrived:
    known = {one.id for one in people}
    return replace(
        report,
        onboarding=past.cycle.id,
        stage=past.cycle.stage,
        target_at=past.cycle.target_at,
        stays=past.stays,
        held_since=past.cycle.held_at,
        effects=tuple(_effect(effect, new, known) for move in past.moves for _, effect in move.effects),
    )


def _effect(effect: PlannedEffect, new: Mapping[UUID, int], known: set[UUID]) -> ArrivedEffect:
    recipient = UUID(effect.recipient) if effect.recipient else None
    ours = recipient if effect.kind is EffectKind.TIMER or recipient not in known | new.keys() else None
    return ArrivedEffect(
        kind=effect.kind,
        name=effect.name,
        due_at=effect.due_at,
        state=effect.state,
        reason=effect.reason,
        member=ours,
        contact=recipient if recipient in known else None,
        contact_index=new.get(recipient) if recipient else None,
    )


def _under(faults: Iterator[UserError], *path: str) -> list[UserError]:
    return [replace(fault, path=(*path, *fault.path)) for fault in faults]
