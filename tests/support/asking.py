"""Asking the product's own schema as a caller would, without a socket in between."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from api.context import OperationContext
from api.limits import DocumentLimits
from api.operations import Operations
from api.rates import Rate
from api.schema import product
from domain.access import Principal
from tests.support.providers import Provider


@cache
def operations() -> Operations:
    return Operations(product(), DocumentLimits())


async def answered(
    provider: Provider, text: str, variables: Mapping[str, Any] | None = None, principal: Principal | None = None
) -> tuple[Any, list[str]]:
    """Return the data of an answer, and what its errors say."""
    context = OperationContext(provider.context, principal or provider.admin, "req-test", Rate(1_000, 1_000, 10))
    try:
        result = await operations().execute(operations().prepare(text, variables, None), context)
    finally:
        await context.close()
    return result.data, [error.message for error in result.errors or ()]


async def asked(
    provider: Provider, text: str, variables: Mapping[str, Any] | None = None, principal: Principal | None = None
) -> Any:
    """Return the data of an answer that has no errors."""
    data, errors = await answered(provider, text, variables, principal)
    assert errors == [], errors
    return data
