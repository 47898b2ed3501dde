"""Probes: somebody, what lies beyond what they may see, and every place of the schema where an id goes in."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from graphql import GraphQLField, GraphQLSchema, get_named_type

from domain.access import PERSONS_ONLY, Principal, Role, Scope
from domain.ids import IdKind
from tests.support.onboarding import Onboarding
from tests.support.providers import done, sent
from tests.support.schema_walk import Asker, Place, document, least, nobodys, places, schema
from tests.support.worlds import Ids, World, ids_of_client, ids_of_tenant
from workflows.teams import TeamCommand, change_team

DEPTHS = {"query": 3, "mutation": 2}
"""How far into an answer the probe looks; a node can be of any type, so one step less goes as far."""

PROGRAM = tuple(scope for scope in Scope if scope not in PERSONS_ONLY)


WHO = ("admin", "program", "program of one client", "agent of one client")
"""The strongest callers of a provider: the first two try another provider's ids, the others another client's."""


@dataclass(frozen=True, slots=True)
class Probe:
    """Somebody, and what lies beyond what they may see."""

    asker: Asker
    principal: Principal
    own: dict[IdKind, str]
    version: int
    foreign: Ids
    marks: tuple[str, ...]

    def given(self, kind: IdKind | None) -> str:
        """Return an id of one's own, so that a foreign one beside it is looked at too."""
        return self.own.get(kind, nobodys(kind)) if kind else nobodys(kind)

    def leaks(self, shown: str, asked: str) -> set[str]:
        """Return what an answer shows of what is foreign, apart from what was asked with."""
        return {found for found in (*self.foreign.held, *self.marks) if found in shown and found not in asked}


@dataclass(frozen=True, slots=True)
class Worlds:
    ours: World
    theirs: World
    url: str

    async def probe(self, who: str) -> Probe:
        """Return the probe of one of WHO."""
        world, foreign = self.ours, await self.foreign(who)
        if who == "admin":
            return await bearing(world, self.url, world.provider.admin, foreign, self.theirs.mark)
        if who == "program":
            return await bearing(world, self.url, await world.provider.program(*PROGRAM), foreign, self.theirs.mark)
        clients = (world.first.client,)
        principal = await (
            world.provider.program(*PROGRAM, clients=clients) if who.startswith("program") else agent_of(world.first)
        )
        assert principal.clients == frozenset(clients)
        return await bearing(world, self.url, principal, foreign, world.key(world.second))

    async def foreign(self, who: str) -> Ids:
        """Return what one of WHO may not see, as it is by now."""
        if who in ("admin", "program"):
            return await ids_of_tenant(self.url, self.theirs.provider.tenant_id)
        return await ids_of_client(self.url, self.ours.provider.tenant_id, self.ours.second.client)


async def bearing(world: World, url: str, principal: Principal, foreign: Ids, *marks: str) -> Probe:
    """Return a probe that knows what is its own."""
    own = await ids_of_tenant(url, world.provider.tenant_id)
    of_client = await ids_of_client(url, world.provider.tenant_id, world.first.client)
    first = {kind: found[0] for kind, found in (own.by_kind | of_client.by_kind).items() if found}
    return Probe(Asker(world.provider.context), principal, first, world.first.version, foreign, marks)


def taking_ids() -> Iterator[tuple[str, str, Place]]:
    """Yield every root field of queries and mutations with every place in it where an id goes."""
    for root in ("query", "mutation"):
        for name, field in fields(root).items():
            for place in places(field.args, get_named_type(field.type).name):
                yield root, name, place


def fields(root: str) -> Mapping[str, GraphQLField]:
    found: GraphQLSchema = schema()
    type_ = {"query": found.query_type, "mutation": found.mutation_type, "subscription": found.subscription_type}[root]
    assert type_ is not None
    found_fields: Mapping[str, GraphQLField] = type_.fields
    return found_fields


PLACES = list(taking_ids())


def variables(probe: Probe, field: GraphQLField, place: Place, id_: str) -> dict[str, Any]:
    """Return the least that a field takes, with an id at a place; whatever else takes an id gets one's own."""
    given = least(field.args, get_named_type(field.type).name, probe.given, place.path)
    if {"first", "last"} <= set(field.args):
        given["first"] = 3
    if isinstance(given.get("input"), dict):
        given["input"]["idempotencyKey"] = uuid4().hex
        if "kind" in given["input"] and place.path[-1] == "memberId":
            given["input"] |= {"kind": "PERSONAL", "scopes": None}
        if "expectedVersion" in given["input"]:
            given["input"]["expectedVersion"] = probe.version
    at: Any = given
    for step in place.path[:-1]:
        if step == "where" and place.path[-1] == "leadIds[]":
            at["key"] = "ONBOARDINGS_PER_LEAD"  # the one figure that is kept by lead
        at = at[step.removesuffix("[]")]
        at = at[0] if step.endswith("[]") else at
    last = place.path[-1]
    at[last.removesuffix("[]")] = [id_] if last.endswith("[]") else id_
    return given


async def tried(probe: Probe, root: str, name: str, place: Place, id_: str) -> str:
    """Return what is answered when an id is tried, without that id."""
    given = variables(probe, fields(root)[name], place, id_)
    shown = await answer(probe, root, name, given, 1 if place.kind is None else DEPTHS[root])
    return shown.replace(id_, "<tried>").replace(id_[4:], "<tried>")


async def answer(probe: Probe, root: str, name: str, given: dict[str, Any], depth: int) -> str:
    """Return the whole answer to a root field with some arguments, as text."""
    text = document(root, name, fields(root)[name], depth, list(given))
    body, _ = await probe.asker.ask(probe.principal, text, given)
    return json.dumps(body, default=str, sort_keys=True)


async def agent_of(onboarding: Onboarding) -> Principal:
    """Return an agent who sees only the client on whose team they are."""
    provider = onboarding.provider
    agent = await provider.invited(Role.AGENT)
    command = TeamCommand(onboarding.cycle, onboarding.version, engineers=(agent.id,))
    outcome = await change_team(provider.context, onboarding.lead, sent(), command)
    done(outcome)
    onboarding.version = outcome.version or 0
    return await provider.signed_in(await provider.token_of(agent.id))
