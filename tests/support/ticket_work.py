"""People at work on tickets, over the API."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from domain.access import Principal
from domain.ids import IdKind, public
from tests.support.asking import asked
from tests.support.providers import Provider

FIELDS = """
    id version externalId system clientId clientPinned title kind priority category team agent tier siteId deviceId
    exclusion exclusionPinned mergedIntoExternalId mergedInto { externalId } firstRespondedAt responseMinutes resolvedAt
    resolveMinutes timesReopened firstContact closedAt waitingOn timesEscalated
    waits { start end on } resolutions { at reopenedAt } handOvers { at team tier agent }
    escalations { kind fromTeam toTeam reason times }
"""
ERRORS = "errors { code message path ... on StaleVersion { current } }"


async def commanded(
    provider: Provider, mutation: str, principal: Principal | None = None, **given: Any
) -> Mapping[str, Any]:
    """Return the payload of a mutation of tickets."""
    restates = mutation in ("ticketMerge", "ticketMove", "ticketExclude", "ticketRestore")
    changes = "changes { kind name before after count subject }" if restates else ""
    text = (
        f"mutation ($input: {mutation[0].upper()}{mutation[1:]}Input!) {{ "
        f"{mutation}(input: $input) {{ eventId {ERRORS} {changes} ticket {{ {FIELDS} }} }} }}"
    )
    payload: Mapping[str, Any] = (await asked(provider, text, {"input": given}, principal))[mutation]
    return payload


async def worked(
    provider: Provider, mutation: str, ticket: str, principal: Principal | None = None, **given: Any
) -> Any:
    """Return a ticket after somebody worked on it, who must not have been refused."""
    payload = await commanded(provider, mutation, principal, ticketId=ticket, **given)
    assert payload["errors"] == [], payload["errors"]
    return payload["ticket"]


async def refusals(
    provider: Provider, mutation: str, principal: Principal | None = None, **given: Any
) -> list[tuple[str, list[str]]]:
    """Return why a mutation was refused: codes and paths."""
    payload = await commanded(provider, mutation, principal, **given)
    assert payload["eventId"] is None
    return [(error["code"], error["path"]) for error in payload["errors"]]


async def opened(provider: Provider, client: UUID, principal: Principal | None = None, **given: Any) -> Any:
    """Return a new ticket of our own."""
    given = {"client": {"id": public(IdKind.CLIENT, client)}, "title": "Printer on fire"} | given
    payload = await commanded(provider, "ticketCreate", principal, **given)
    assert payload["errors"] == [], payload["errors"]
    return payload["ticket"]
