"""The trail beside the moves: who changed contract and team, and whose attempts were refused."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from db import cycle_changes
from db.session import Transaction
from domain.access import Principal
from domain.cycle_changes import KEPT_REFUSALS, ChangedField, CycleChange, Difference
from domain.errors import Outcome, UserError, refused
from domain.moves import Gate
from domain.onboarding import Cycle
from workflows.context import Request, new_id


@dataclass(frozen=True, slots=True)
class Trail:
    """Who does something to a locked cycle, how, and when."""

    principal: Principal
    request: Request
    cycle: Cycle
    now: datetime

    async def record(self, tx: Transaction, changes: Iterable[Difference], version: int, event: UUID) -> None:
        """Keep the fields that one accepted command changed."""
        await cycle_changes.record(tx, [self._row(change, version, event=event) for change in changes])

    async def refuse(self, tx: Transaction, error: UserError, changes: Iterable[Difference]) -> Outcome:
        """Return why a change was refused; keep what was tried, if it was for a reason of rights or state."""
        if error.code in KEPT_REFUSALS:
            rows = [self._row(change, self.cycle.version, refusal=error.code.value) for change in changes]
            await cycle_changes.record(tx, rows)
        return refused(error, subject=self.cycle.id)

    async def refuse_at(
        self, tx: Transaction, error: UserError, what: ChangedField, gate: Gate, *, subject: UUID | None = None
    ) -> Outcome:
        """Return why something about a gate was refused, and keep that it was tried, as `refuse` does."""
        if error.code in KEPT_REFUSALS:
            tried = self._row(Difference(what, (), ()), self.cycle.version, gate=gate, refusal=error.code.value)
            await cycle_changes.record(tx, [tried])
        return refused(error, subject=subject or self.cycle.id)

    def _row(
        self,
        change: Difference,
        version: int,
        *,
        gate: Gate | None = None,
        refusal: str | None = None,
        event: UUID | None = None,
    ) -> CycleChange:
        return CycleChange(
            id=new_id(),
            client_id=self.cycle.client_id,
            cycle_id=self.cycle.id,
            version=version,
            field=change.field,
            gate=gate,
            before=change.before,
            after=change.after,
            accepted=refusal is None,
            refusal=refusal,
            recorded_at=self.now,
            actor_kind=self.principal.kind.value,
            actor_id=self.principal.id,
            on_behalf_of=self.request.on_behalf_of or self.principal.acts_for(self.cycle.team),
            channel=self.request.channel.value,
            request_id=self.request.id,
            event_id=event,
        )
