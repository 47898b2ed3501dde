"""The product's own schema at the edge: signed in by real tokens, introspected by tools, refused to others."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
from graphql import get_introspection_query
from websockets.exceptions import ConnectionClosed

from api.fields import scope_of
from api.schema import executable, product
from domain.tokens import TokenKind
from tests.support.edge import Edge, running
from tests.support.providers import Provider, done, sent
from workflows import tokens
from workflows.access import authenticate
from workflows.tokens import CreateToken, RevokeToken


@pytest.fixture
async def edge(provider: Provider) -> AsyncIterator[Edge]:
    async with running(provider.context, product(), authenticated_by=authenticate, recheck_seconds=0.5) as edge:
        yield edge


async def test_a_real_token_is_let_in_and_tools_may_introspect(edge: Edge, provider: Provider) -> None:
    options = {"input_value_deprecation": True, "specified_by_url": True, "directive_is_repeatable": True}
    began = time.perf_counter()
    response = await edge.post(get_introspection_query(**options), provider.admin_token)
    assert time.perf_counter() - began < 2
    assert response.status_code == 200
    names = {type_["name"] for type_ in response.json()["data"]["__schema"]["types"]}
    assert {"Query", "Mutation", "Subscription", "RateLimit"} <= names
    assert (await edge.post("{ rateLimit { remaining } }", "ss_unknown")).status_code == 401


async def test_a_revoked_token_is_out_within_five_seconds_on_both_transports(edge: Edge, provider: Provider) -> None:
    issued = await tokens.create(provider.context, provider.admin, sent(), CreateToken(TokenKind.PERSONAL, "short"))
    token_id = done(issued.outcome)
    assert issued.secret is not None
    token = issued.secret.text
    async with edge.socket(token) as socket:
        await socket.send(json.dumps({"type": "subscribe", "id": "1", "payload": {"query": "{ rateLimit { limit } }"}}))
        assert json.loads(await socket.recv())["type"] == "next"
        await tokens.revoke(provider.context, provider.admin, sent(), RevokeToken(token_id))
        with suppress(ConnectionClosed):
            async with asyncio.timeout(5):
                async for _ in socket:
                    pass
        assert socket.close_code == 4401
    assert (await edge.post("{ rateLimit { limit } }", token)).status_code == 401


def test_every_mutation_and_subscription_names_the_scope_that_it_takes() -> None:
    schema = executable(product())
    for root in (schema.mutation_type, schema.subscription_type):
        assert root is not None
        assert [name for name, field in root.fields.items() if scope_of(field) is None] == []
