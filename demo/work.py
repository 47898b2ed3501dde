"""Work: what an onboarding's team does between its moves, item by item, and what sales hands over."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Self
from uuid import UUID

from db import checklists, contacts, cycles
from db.session import Transaction
from demo.accounts import Account, Profile
from demo.tales import Tale
from demo.words import HAND_OFFS, INCUMBENTS, PROMISES, WORK_NOTES
from domain.access import Principal
from domain.checklists import Item
from domain.clients import ContactRole
from domain.default_checklists import CHECKLISTS
from domain.definitions import ChecklistItem
from domain.hand_off import HandOffContact, HandOffField
from domain.moves import Gate
from domain.onboarding import Cycle
from domain.stages import Stage
from workflows.checklists import CompleteItem, complete
from workflows.hand_offs import UpdateHandOff, update

NOTHING: Mapping[Gate, str] = MappingProxyType({})
CONTACTS_MOST = 50


class Worked(Account):
    """An account whose team works on it; the script knows on which day a stage was entered, and spreads the work."""

    def __init__(self, tale: Tale, profile: Profile) -> None:
        super().__init__(tale, profile)
        self._cycle: UUID | None = None
        self._stage = Stage.CONTRACTING
        self._since = 0

    def is_worked_on(self, share: float, *, until: int = -1) -> Self:
        """Let the first part of the present stage's work be done by a day; 1.0 is all that is asked for."""
        listed = CHECKLISTS[self._stage]
        required = [item for item in listed if item.required] or listed
        self._plan_work(required[: round(len(required) * share)], until)
        return self

    def hands_off(self, *left_out: HandOffField) -> Self:
        """Let the account manager write down what was sold and promised, but for some fields."""

        async def act() -> None:
            people = await self._people()
            primary = people[ContactRole.PRIMARY]
            texts = {HandOffField(name): text for name, text in HAND_OFFS.items()}
            values: dict[HandOffField, Any] = {
                **texts,
                HandOffField.PROMISES: self.rng.choice(PROMISES),
                HandOffField.CONTACTS: tuple(
                    HandOffContact(role, people[role]) for role in (ContactRole.SIGNER, ContactRole.TECHNICAL)
                ),
                HandOffField.APPROVERS: (people[ContactRole.SIGNER], primary),
            }
            incumbent = self.rng.choice(INCUMBENTS)
            none = (HandOffField.VIPS,) if incumbent else (HandOffField.VIPS, HandOffField.INCUMBENT)
            if incumbent:
                values[HandOffField.INCUMBENT] = incumbent
            given = {f: value for f, value in values.items() if f not in left_out}
            declared = tuple(f for f in none if f not in left_out)
            manager = self.person(self.profile.account_manager)
            await self._told(update, UpdateHandOff(self.cycle, given, declared), by=manager)

        return self._then(act)

    @property
    def lead(self) -> Principal:
        return self.person(self.profile.lead)

    @property
    def cycle(self) -> UUID:
        if self._cycle is None:
            raise LookupError(f"{self.profile.name} has no onboarding yet on this day of the story")
        return self._cycle

    def _enters(self, stage: Stage) -> None:
        self._stage, self._since = stage, self._day

    def _is_worked_through(self, waiving: Mapping[Gate, str]) -> None:
        """Spread the present stage's work over its days; what proves a waived gate stays undone."""
        if self._stage is Stage.CONTRACTING:
            moves_on, self._day = self._day, (self._since + self._day) // 2
            self.hands_off()
            self._day = moves_on
        self._plan_work([item for item in CHECKLISTS[self._stage] if item.proves not in waiving], self._day)

    def _plan_work(self, work: Sequence[ChecklistItem], until: int) -> None:
        today, days = self._day, until - self._since
        for number, item in enumerate(work, 1):
            self._day = self._since + days * number // (len(work) + 1)
            self._does(self._stage, item.key)
        self._day = today

    def _does(self, stage: Stage, key: str) -> None:
        async def act() -> None:
            item = await self._item(stage, key)
            if item is not None and not item.done:
                who = next(one for one in self.tale.cast.people.values() if one.id == item.assignee_id)
                command = CompleteItem(item.id, note=WORK_NOTES[key]) if key in WORK_NOTES else CompleteItem(item.id)
                await self._told(complete, command, by=who)

        self._then(act)

    async def _item(self, stage: Stage, key: str) -> Item | None:
        async with self._reading() as tx:
            found = (await checklists.of_cycles(tx, [self.cycle])).get(self.cycle, [])
        return next((item for item in found if (item.stage, item.key) == (stage, key)), None)

    async def _people(self) -> dict[ContactRole, UUID]:
        async with self._reading() as tx:
            rows = await contacts.LISTING.rows_of(tx, [self.client], "NAME", Earliest(CONTACTS_MOST))
        return {ContactRole(role): row["id"] for row in rows[self.client] for role in row["roles"]}

    async def _seen(self) -> Cycle:
        async with self._reading() as tx:
            return (await cycles.by_ids(tx, [self.cycle]))[self.cycle]

    def _reading(self) -> AbstractAsyncContextManager[Transaction]:
        return self.tale.telling.context.database.reading(self.lead)


@dataclass(frozen=True, slots=True)
class Earliest:
    """The first so many of a list."""

    limit: int
    after: tuple[object, ...] | None = None
    before: tuple[object, ...] | None = None
    backward: bool = False
