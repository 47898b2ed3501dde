"""Explaining a figure: the rows behind its number, the whole, one bucket of it, or what stands under some members."""

from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

import strawberry

from api.context import Info
from api.errors import BadUserInput
from api.fields import resolved
from api.kpi_types import MEMBER_IDS, KpiRow
from api.paging import After, Connection, First, Ordering, connection, page_of
from db import explain
from domain.access import Scope
from domain.escalations import Phase
from domain.ids import parse
from domain.kpis import Dimension, NotOffered
from domain.onboarding import EndReason
from domain.questions import UNKNOWN, Part, Question, of_members
from domain.stages import Stage
from domain.standings import BaselineStanding, Tenure
from domain.tickets import Priority, TicketKind

BY_MOMENT = Ordering("rows behind a figure", (datetime, UUID))

_WORDS: Mapping[Dimension, type[StrEnum]] = {
    Dimension.STAGE: Stage,
    Dimension.PHASE: Phase,
    Dimension.PRIORITY: Priority,
    Dimension.KIND: TicketKind,
    Dimension.OUTCOME: EndReason,
    Dimension.TENURE: Tenure,
    Dimension.BASELINE: BaselineStanding,
}
"""Dimensions whose members are told by words."""


@strawberry.input(description="One member of a dimension, as `dimensions` of a series tells it.")
class KpiMemberInput:
    dimension: Dimension = strawberry.field(description="The dimension.")
    member: str = strawberry.field(
        description="The name of an enum's value, the id of a client, lead or the like, or `UNKNOWN`."
    )

    def known(self) -> str:
        """Return the member as questions know it.

        Raises:
            BadUserInput: the dimension has no such word.
            MalformedIdError: it is no id of this kind.
        """
        if self.member == UNKNOWN:
            return UNKNOWN
        words = _WORDS.get(self.dimension)
        if words is None:
            return parse(MEMBER_IDS[self.dimension], self.member).hex
        if self.member not in words.__members__:
            raise BadUserInput(
                f"members: {self.member[:40]!r} is no {self.dimension}; it is one of {', '.join(words.__members__)}."
            )
        return words[self.member].value


@strawberry.type
class Explained:
    """The rows behind a figure, as a field of its answer."""

    @resolved(
        description="The rows behind the figure, in the order in which they count: over the whole period, or of one "
        "bucket, or of what stands under members of the dimensions, such as those of one series. Numerator and "
        "denominator add up to those of the value, and what is left out is told with its reason.",
    )
    async def explain(
        root: Any,  # noqa: N805 -- the root is a domain value, not this class
        info: Info,
        part: Annotated[Part, strawberry.argument(description="Which rows.")],
        bucket: Annotated[
            date | None, strawberry.argument(description="Of the bucket with this first day; of the whole if left out.")
        ] = None,
        members: Annotated[
            list[KpiMemberInput] | None, strawberry.argument(description="Of these members, one a dimension.")
        ] = None,
        first: First = None,
        after: After = None,
    ) -> Connection[KpiRow] | None:
        info.context.principal.require(Scope.TICKETS_READ)
        page = page_of(BY_MOMENT, first=first, after=after)
        question, now = _narrowed(info, root.question, members or ()), info.context.context.clock()

        async def count() -> int:
            async with info.context.reading() as tx:
                return await explain.count(tx, question, part, now, bucket)

        try:
            async with info.context.reading() as tx:
                rows = await explain.rows(tx, question, part, page, now, bucket)
        except NotOffered as error:
            raise BadUserInput(f"{error}") from error
        return connection(page, rows, key=lambda row: (row.at, row.id), count=count)


def _narrowed(info: Info, question: Question, members: "list[KpiMemberInput] | tuple[()]") -> Question:
    named = {one.dimension: one.known() for one in members}
    if len(named) < len(members):
        raise BadUserInput("members: a dimension is named twice; name one member of each.")
    narrower = of_members(question, named)
    if narrower.is_about_staff and not question.is_about_staff:
        info.context.principal.require_told_of_staff()
    return narrower
