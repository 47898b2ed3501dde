"""Privacy: erasing people, and handing out what is held about them."""

from dataclasses import dataclass, replace
from uuid import UUID

from db import clients, contacts, members, privacy, subjects, tenants
from db.session import Transaction
from domain.access import Principal, Scope
from domain.clients import NAME_LIMIT
from domain.consequences import told
from domain.errors import ErrorCode, Outcome, UserError, erased, invalid
from domain.ids import IdKind, public
from domain.members import Member
from domain.privacy import ALSO_KNOWN_MOST, DataSubject, ErasureReason, PrivacyAct
from domain.texts import is_line
from workflows.checks import fit, found, fresh, refusable
from workflows.commands import perform
from workflows.context import Context, Request
from workflows.erasing import Erased, Erasing, erase_contact, erase_member, record

SAME_ADDRESS = "same_address"
"""The place, among the facts of an erasure, of other contacts with the address of whoever was erased."""


@dataclass(frozen=True, slots=True)
class EraseContact:
    """Erase a contact; `also_known_as` are further names under which they were written about, such as a former one."""

    contact_id: UUID
    reason: ErasureReason
    also_known_as: tuple[str, ...] = ()
    expected_version: int | None = None
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class EraseMember:
    """Erase a member who was deactivated; `also_known_as` as for a contact."""

    member_id: UUID
    reason: ErasureReason
    also_known_as: tuple[str, ...] = ()
    expected_version: int | None = None
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class ExportSubject:
    """Hand out what is held about somebody."""

    kind: DataSubject
    subject_id: UUID


async def contact_erase(context: Context, principal: Principal, request: Request, command: EraseContact) -> Outcome:
    """Erase a contact: row, keys, unsent surveys, and their name wherever somebody wrote it.

    `Outcome.facts` holds the changes, and the ids of other contacts who have the same address and stay.
    """
    principal.require(Scope.PRIVACY_WRITE)
    erasing = Erasing(principal, request, context.clock(), command.reason)

    @refusable
    async def act(tx: Transaction) -> Outcome:
        fit(_name_faults(command.also_known_as))
        seen = found(await contacts.get(tx, command.contact_id), "contact", "contactId")
        found(await clients.hold(tx, seen.client_id), "contact", "contactId")
        contact = found(await contacts.lock(tx, command.contact_id), "contact", "contactId")
        fresh(contact, command.expected_version)
        fit([erased("contact", "contactId")] if contact.erased else (), contact.id)
        twins = await privacy.of_same_address(tx, contact.id, contact.email) if contact.email else []
        outcome = _outcome(contact.id, await erase_contact(tx, erasing, contact, command.also_known_as))
        named = [public(IdKind.CONTACT, twin) for twin in twins]
        return replace(outcome, facts={**outcome.facts, SAME_ADDRESS: named})

    return await perform(context, principal, request, "contactErase", command, act, dry_run=command.dry_run)


async def member_erase(context: Context, principal: Principal, request: Request, command: EraseMember) -> Outcome:
    """Erase a member who is deactivated and on no open onboarding's team; what they did stays under their id."""
    principal.require(Scope.MEMBERS_WRITE)
    erasing = Erasing(principal, request, context.clock(), command.reason)

    @refusable
    async def act(tx: Transaction) -> Outcome:
        fit(_name_faults(command.also_known_as))
        await tenants.lock(tx)
        member = found(await members.lock(tx, command.member_id), "member", "memberId")
        fresh(member, command.expected_version)
        fit(_member_faults(member, await privacy.on_teams(tx, member.id)), member.id)
        return _outcome(member.id, await erase_member(tx, erasing, member, command.also_known_as))

    return await perform(context, principal, request, "memberErase", command, act, dry_run=command.dry_run)


async def export(
    context: Context, principal: Principal, request: Request, command: ExportSubject
) -> tuple[Outcome, dict[str, object] | None]:
    """Return everything that is held about somebody as one document, and keep that it was handed out.

    A member takes the right over members as well.
    """
    principal.require(Scope.PRIVACY_WRITE)
    if command.kind is DataSubject.MEMBER:
        principal.require(Scope.MEMBERS_WRITE)
    erasing = Erasing(principal, request, context.clock(), ErasureReason.REQUESTED)
    path = f"{command.kind.value.lower()}Id"

    @refusable
    async def act(tx: Transaction) -> Outcome:
        stored = contacts if command.kind is DataSubject.CONTACT else members
        subject = found(await stored.get(tx, command.subject_id), command.kind.value.lower(), path)
        await record(tx, erasing, PrivacyAct.EXPORTED, command.kind, subject.id)
        return Outcome(subject.id, subject.version)

    outcome = await perform(context, principal, request, "subjectExport", command, act)
    if outcome.errors:
        return outcome, None
    # Read apart: what a command came to is stored with its key, and the document is nothing to be stored again.
    async with context.database.reading(principal) as tx:
        if command.kind is DataSubject.CONTACT:
            return outcome, await subjects.about_contact(tx, command.subject_id)
        return outcome, await subjects.about_member(tx, command.subject_id)


def _outcome(subject: UUID, done: Erased) -> Outcome:
    return Outcome(subject, done.version, done.event, facts=told(done.changes))


def _name_faults(names: tuple[str, ...]) -> list[UserError]:
    if len(names) > ALSO_KNOWN_MOST:
        return [invalid(f"{len(names)} names are too many; give {ALSO_KNOWN_MOST} at most.", "alsoKnownAs")]
    return [
        invalid(f"A name has 1 to {NAME_LIMIT} printable characters; give one.", "alsoKnownAs", str(index))
        for index, name in enumerate(names)
        if not 1 <= len(name.strip()) <= NAME_LIMIT or not is_line(name)
    ]


def _member_faults(member: Member, teams: list[UUID]) -> list[UserError]:
    if member.erased:
        return [erased("member", "memberId")]
    if member.active:
        message = "This member can still sign in; deactivate them first, then erase them."
        return [UserError(ErrorCode.CONFLICT, message, ("memberId",))]
    if not teams:
        return []
    listed = ", ".join(public(IdKind.ONBOARDING, cycle) for cycle in teams)
    message = (
        f"This member is lead, account manager or technical lead of open onboardings: {listed}. Give them to others."
    )
    return [UserError(ErrorCode.CONFLICT, message, ("memberId",))]
