"""Definitions: a provider's rules edited or brought in as their next version; none before it changes."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from db import definitions
from db.session import Transaction
from domain.access import Principal, Scope
from domain.consequences import Consequence, ConsequenceKind, told
from domain.definition_differences import DefinitionDifference, differences
from domain.definition_documents import edited, read
from domain.definition_rules import NOTE_LIMIT
from domain.definitions import Authorship, Definition, Rules
from domain.errors import ForbiddenError, Outcome, UserError, invalid, stale
from domain.events import DefinitionChanged
from workflows.checks import RefusedError, fit, refusable, running_again_on_duplicates
from workflows.commands import perform, publish
from workflows.context import Context, Request, new_id

UNCHANGED_FACT = "unchanged"
"""The place among an outcome's facts that says that nothing differs, so that no version was made."""


@dataclass(frozen=True, slots=True)
class EditDefinition:
    """Make the next version of the newest one: `edit` holds the keys of its document that become others."""

    expected_number: int
    edit: Mapping[str, Any]
    note: str | None = None
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class ImportDefinition:
    """Make the next version of a whole document, whatever the newest one says."""

    document: Any = field(repr=False)
    expected_number: int | None = None
    note: str | None = None
    dry_run: bool = False


async def edit_definition(context: Context, principal: Principal, request: Request, command: EditDefinition) -> Outcome:
    """Edit the newest version as a new one; onboardings under way keep theirs.

    Raises:
        ForbiddenError: the caller may not write policies, or sees only some of the clients.
    """
    _for_every_client(principal)

    @refusable
    async def act(tx: Transaction) -> Outcome:
        newest = await _newest(tx, command.expected_number)
        fit(_note_faults(command.note))
        rules = _fitting(edited(newest.rules, command.edit))
        return await _next(context, principal, request, tx, newest, rules, command.note)

    return await perform(context, principal, request, "onboardingDefinitionEdit", command, act, dry_run=command.dry_run)


async def import_definition(
    context: Context, principal: Principal, request: Request, command: ImportDefinition
) -> Outcome:
    """Bring a document in as a new version; everything that is wrong with it is named by its path.

    Raises:
        ForbiddenError: the caller may not write policies, or sees only some of the clients.
    """
    _for_every_client(principal)

    @refusable
    async def act(tx: Transaction) -> Outcome:
        newest = await _newest(tx, command.expected_number)
        fit(_note_faults(command.note))
        rules = _fitting(read(command.document), "document")
        return await _next(context, principal, request, tx, newest, rules, command.note)

    return await perform(
        context, principal, request, "onboardingDefinitionImport", command, act, dry_run=command.dry_run
    )


def _for_every_client(principal: Principal) -> None:
    principal.require(Scope.POLICIES_WRITE)
    if principal.clients is not None:
        msg = "A definition is for every client; this credential sees only some."
        raise ForbiddenError(msg)


async def _newest(tx: Transaction, expected: int | None) -> Definition:
    newest = await definitions.newest(tx)
    if newest is None:
        msg = "a tenant always has a definition"
        raise LookupError(msg)
    if expected not in (None, newest.number):
        refusal = replace(stale(newest.number), path=("expectedNumber",))
        raise RefusedError(Outcome(newest.id, newest.number, errors=(refusal,)))
    return newest


def _fitting(found: Rules | tuple[UserError, ...], *above: str) -> Rules:
    if isinstance(found, Rules):
        return found
    fit(replace(fault, path=(*above, *fault.path)) for fault in found)
    raise AssertionError


def _note_faults(note: str | None) -> list[UserError]:
    if note is None or len(note) <= NOTE_LIMIT:
        return []
    return [invalid(f"A note has at most {NOTE_LIMIT} characters; this one has {len(note)}.", "note")]


async def _next(
    context: Context,
    principal: Principal,
    request: Request,
    tx: Transaction,
    newest: Definition,
    rules: Rules,
    note: str | None,
) -> Outcome:
    changed = differences(newest.rules, rules)
    if not changed:
        return Outcome(newest.id, newest.number, facts=told(()) | {UNCHANGED_FACT: True})
    made = Authorship(principal.kind, principal.id, (note or "").strip() or None, newest.number)
    version = Definition(new_id(), newest.number + 1, rules, context.clock(), made)
    with running_again_on_duplicates():
        await definitions.add(tx, version)
    event = await publish(
        tx,
        principal,
        request,
        DefinitionChanged(number=version.number, based_on=newest.number, paths=tuple(d.path for d in changed)),
        subject=version.id,
        version=version.number,
        client=None,
        now=version.created_at,
    )
    facts = told(_consequence(difference) for difference in changed)
    return Outcome(version.id, version.number, event, facts=facts)


def _consequence(difference: DefinitionDifference) -> Consequence:
    return Consequence(ConsequenceKind.DEFINITION, difference.path, _plain(difference.before), _plain(difference.after))


def _plain(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)
