"""Senders of inbound messages: each signs as the real system does, and posts over HTTP."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any
from uuid import UUID, uuid4

import httpx2

from db import inbound_sources as stored
from domain.inbound import AdapterKind, Sent
from tests.support.asking import asked
from tests.support.edge import Edge
from tests.support.providers import Provider, sent
from workflows import inbound, inbound_messages, inbound_sources
from workflows.inbound_sources import CreateSource

CREATE = """
mutation ($input: InboundSourceCreateInput!) {
  inboundSourceCreate(input: $input) { source { id path } secret errors { code message } }
}
"""

MESSAGES = """
query ($where: InboundMessageWhere) {
  inboundMessages(where: $where, first: 100) {
    totalCount nodes { id number status reason ticketCount deliveryId sizeBytes body replayedAt source { name } }
  }
}
"""

_numbers = count(1)

Headers = dict[str, str]


@dataclass
class Sender:
    """One system that sends, as its source was made for it."""

    id: str
    path: str
    secret: str
    provider: Provider
    headers: Headers = field(default_factory=dict)

    def standard(self, body: bytes, *, delivery: str | None = None, at: datetime | None = None) -> Headers:
        """Sign as Standard Webhooks say."""
        id_ = delivery or f"msg_{uuid4().hex}"
        seconds = str(int((at or self.provider.clock()).timestamp()))
        key = base64.b64decode(self.secret.removeprefix("whsec_"))
        mac = hmac.digest(key, f"{id_}.{seconds}.".encode() + body, hashlib.sha256)
        signature = f"v1a,bm90aGluZw== v1,{base64.b64encode(mac).decode()}"
        return {"webhook-id": id_, "webhook-timestamp": seconds, "webhook-signature": signature}

    def zendesk(self, body: bytes, *, at: datetime | None = None) -> Headers:
        """Sign as Zendesk does."""
        moment = (at or self.provider.clock()).strftime("%Y-%m-%dT%H:%M:%SZ")
        mac = hmac.digest(self.secret.encode(), moment.encode() + body, hashlib.sha256)
        return {
            "x-zendesk-webhook-signature": base64.b64encode(mac).decode(),
            "x-zendesk-webhook-signature-timestamp": moment,
        }

    def hub(self, body: bytes) -> Headers:
        """Sign as Jira does."""
        return {"x-hub-signature": "sha256=" + hmac.digest(self.secret.encode(), body, hashlib.sha256).hex()}


async def source(provider: Provider, adapter: AdapterKind = AdapterKind.GENERIC, **more: Any) -> Sender:
    """Make a source as an admin does."""
    given = {"name": f"Source {next(_numbers)}", "adapter": adapter.value, **more}
    made = (await asked(provider, CREATE, {"input": given}))["inboundSourceCreate"]
    assert made["errors"] == []
    secret = made["secret"] or more["secret"]
    return Sender(made["source"]["id"], made["source"]["path"], secret, provider)


async def filled(provider: Provider, client: UUID, said: str) -> None:
    """Make a source of a client, and receive a message from it."""
    command = CreateSource(f"Desk {said}", AdapterKind.FRESHDESK, "PSA", client, secret="a-secret-of-its-own")
    made = (await inbound_sources.create(provider.context, provider.admin, sent(), command)).outcome
    assert made.errors == ()
    async with provider.context.database.reading(provider.admin) as tx:
        found = await stored.get(tx, made.subject) if made.subject else None
    assert found is not None
    message = Sent({"x-steadystate-token": "a-secret-of-its-own"}, json.dumps({"said": said}).encode())
    await inbound.receive(provider.context, inbound.Gate(provider.tenant_id, found), message)


async def post(edge: Edge, path: str, body: bytes, headers: Mapping[str, str]) -> httpx2.Response:
    """Post bytes as another system does."""
    async with httpx2.AsyncClient(trust_env=False, timeout=20) as client:
        return await client.post(edge.url + path, content=body, headers=dict(headers))


async def tell(edge: Edge, sender: Sender, said: object, **how: Any) -> httpx2.Response:
    """Post JSON, signed by Standard Webhooks."""
    body = json.dumps(said).encode()
    return await post(edge, sender.path, body, sender.standard(body, **how))


def ticket(number: int | str = 1, **said: Any) -> dict[str, Any]:
    """Return a ticket in our own JSON."""
    return {"externalId": f"T-{number}", "loggedAt": "2026-03-01T12:00:00Z", **said}


async def interpreted(provider: Provider) -> int:
    """Let the worker's turn come once."""
    return await inbound_messages.interpret_of(provider.context, provider.tenant_id)


async def messages(provider: Provider, **where: Any) -> list[dict[str, Any]]:
    """Return the messages as an admin sees them, the latest first."""
    listed: list[dict[str, Any]] = (await asked(provider, MESSAGES, {"where": where}))["inboundMessages"]["nodes"]
    return listed
