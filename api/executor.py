"""The executor: graphql-core's own, for what cannot be read column by column as a whole.

graphql-core spends about ten microseconds on every field, most of it on what only an error could want to
know. So a query is first read in the short way, by columns. If anything about it is unusual, it is done
over here, one level after the other: what lies beside and below the unusual value still goes the short
way, and of that value graphql-core says precisely what is wrong and where.
"""

from collections.abc import Coroutine
from typing import Any

from graphql import Undefined, is_leaf_type, is_list_type, is_non_null_type
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from api.columns import Asking, Shown
from api.selections import Selections


class Executor(StrawberryGraphQLCoreExecutionContext):
    """graphql-core's executor, with a short way for lists and for objects that need not wait."""

    selections: Selections | None = None

    def complete_value(
        self, return_type: Any, field_details_list: Any, info: Any, path: Any, result: Any, position_context: Any
    ) -> Any:
        arguments = (return_type, field_details_list, info, path, result, position_context)
        shown = self._short_way(return_type, field_details_list, result)
        if shown is None:
            return super().complete_value(*arguments)
        reading = shown.show(Asking(self.context_value, self.variable_values), (result,))
        if shown.waits:
            return self._in_time(reading, arguments)
        try:
            return _now(reading)
        except Exception:  # noqa: BLE001 -- graphql-core does it over, and says what is wrong
            return super().complete_value(*arguments)

    def _short_way(self, type_: Any, details: Any, value: Any) -> Shown | None:
        if self.selections is None or is_leaf_type(type_) or is_non_null_type(type_):
            return None
        if value is None or value is Undefined or isinstance(value, Exception):
            return None
        shown = self.selections.shown(type_, details)
        # Objects by themselves don't wait: those of a list that failed would load row by row what it loads at once.
        return None if shown is None or (shown.waits and not is_list_type(type_)) else shown

    async def _in_time(self, reading: Coroutine[Any, Any, list[Any]], arguments: tuple[Any, ...]) -> Any:
        try:
            return (await reading)[0]
        except Exception:  # noqa: BLE001 -- as above
            completed = super().complete_value(*arguments)
            return await completed if self.is_awaitable(completed) else completed


def _now(reading: Coroutine[Any, Any, list[Any]]) -> Any:
    """Return what is shown where nothing has to be waited for."""
    try:
        reading.send(None)
    except StopIteration as done:
        return done.value[0]
    reading.close()
    raise AssertionError("a selection without anything to load waited")
