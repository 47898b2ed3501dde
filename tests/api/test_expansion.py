"""Sites, amendments and the onboardings of parts of a client, as a caller of the API meets them."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from domain.access import Role, Scope
from domain.ids import IdKind, public
from tests.support.asking import answered, asked
from tests.support.expansions import served
from tests.support.providers import Provider, without

SITE = """mutation ($input: SiteCreateInput!) { siteCreate(input: $input) {
    site { id name street postcode city country zone archivedAt version external { system key } client { id } }
    eventId errors { code message path } } }"""
AMENDMENT = """mutation ($input: AmendmentCreateInput!) { amendmentCreate(input: $input) {
    amendment { id number status startsOn scopeAdded seatsDelta note site { name } service { id } contract { id } }
    errors { code message path } } }"""
EXPAND = """mutation ($input: OnboardingExpandInput!) { onboardingExpand(input: $input) {
    onboarding { id number stage scopeKind scopeName siteId site { name } serviceId service { name }
                 contract { id } amendment { id number } }
    eventId errors { code message path } } }"""
CLIENT = """query ($id: ID!) { client(ref: {id: $id}) {
    stage onboarding { scopeKind scopeName }
    all: onboardings { number scopeKind scopeName } parts: onboardings(scopeKinds: [SITE, SERVICE]) { number }
    sites(first: 5) { totalCount nodes { name onboardings { number stage } } }
    archived: sites(first: 5, includeArchived: true) { totalCount }
    contracts(first: 5) { nodes { title amendments { number } } } } }"""


async def sent(provider: Provider, text: str, **given: Any) -> Any:
    """Return the one payload of a mutation that is not refused."""
    (payload,) = (await asked(provider, text, {"input": given})).values()
    assert payload["errors"] == []
    return payload


async def test_a_site_is_noted_amended_in_and_onboarded_while_the_client_keeps_its_stage(provider: Provider) -> None:
    world = await served(provider)
    client, contract = public(IdKind.CLIENT, world.whole.client), public(IdKind.CONTRACT, world.whole.contract)
    noted = await sent(
        provider,
        SITE,
        client={"id": client},
        name="Depot",
        street="Kade 1",
        country="NL",
        zone="Europe/Amsterdam",
        external=[{"system": "PSA", "key": "7"}],
    )
    site = noted["site"]
    assert (site["zone"], site["version"], site["client"], site["city"]) == (
        "Europe/Amsterdam",
        1,
        {"id": client},
        None,
    )
    assert site["external"] == [{"system": "PSA", "key": "7"}]
    today = provider.clock().date()
    addition = await sent(
        provider,
        AMENDMENT,
        contractId=contract,
        title="Depot",
        status="SIGNED",
        startsOn=today.isoformat(),
        scopeAdded=["NETWORK"],
        siteId=site["id"],
        note="As agreed.",
    )
    amendment = addition["amendment"]
    assert (amendment["number"], amendment["site"], amendment["service"]) == (1, {"name": "Depot"}, None)
    opened = await sent(
        provider,
        EXPAND,
        clientId=client,
        leadId=public(IdKind.MEMBER, world.whole.lead.id),
        siteId=site["id"],
        amendmentId=amendment["id"],
    )
    onboarding = opened["onboarding"]
    assert onboarding == {
        "id": onboarding["id"],
        "number": 2,
        "stage": "CONTRACTING",
        "scopeKind": "SITE",
        "scopeName": "Depot",
        "siteId": site["id"],
        "site": {"name": "Depot"},
        "serviceId": None,
        "service": None,
        "contract": {"id": contract},
        "amendment": {"id": amendment["id"], "number": 1},
    }
    shown = (await asked(provider, CLIENT, {"id": client}))["client"]
    assert shown["stage"] == "EARLY_SUPPORT"
    assert shown["onboarding"] == {"scopeKind": "WHOLE_CLIENT", "scopeName": None}
    assert shown["all"] == [
        {"number": 1, "scopeKind": "WHOLE_CLIENT", "scopeName": None},
        {"number": 2, "scopeKind": "SITE", "scopeName": "Depot"},
    ]
    assert shown["parts"] == [{"number": 2}]
    assert shown["sites"] == {
        "totalCount": 1,
        "nodes": [{"name": "Depot", "onboardings": [{"number": 2, "stage": "CONTRACTING"}]}],
    }
    assert shown["contracts"]["nodes"] == [{"title": "Managed services", "amendments": [{"number": 1}]}]


async def test_boards_are_narrowed_to_what_onboardings_are_about(provider: Provider) -> None:
    world = await served(provider)
    await world.expanded(await world.contract(), service=await world.service("Web shop"))
    text = """query ($kinds: [ScopeKind!]) { onboardings(where: {scopeKinds: $kinds}, first: 9) {
        totalCount nodes { scopeKind scopeName service { name } } } }"""
    parts = (await asked(provider, text, {"kinds": ["SITE", "SERVICE"]}))["onboardings"]
    assert parts == {
        "totalCount": 1,
        "nodes": [{"scopeKind": "SERVICE", "scopeName": "Web shop", "service": {"name": "Web shop"}}],
    }
    assert (await asked(provider, text, {"kinds": None}))["onboardings"]["totalCount"] == 2


async def test_a_contract_shows_its_terms_on_a_day(provider: Provider) -> None:
    world = await served(provider)
    today = provider.clock().date()
    await world.signed_amendment(today + timedelta(days=1), seats=12)
    text = """query ($id: ID!, $day: Date!) { node(id: $id) { ... on Contract {
        termsOn(day: $day) { scope seats amendmentNumbers } } } }"""
    id_ = public(IdKind.CONTRACT, world.whole.contract)
    days = [today, today + timedelta(days=1)]
    told = [(await asked(provider, text, {"id": id_, "day": day.isoformat()}))["node"]["termsOn"] for day in days]
    assert told == [
        {"scope": ["ENDPOINTS"], "seats": None, "amendmentNumbers": []},
        {"scope": ["ENDPOINTS"], "seats": 12, "amendmentNumbers": [1]},
    ]


async def test_an_archived_site_is_found_by_its_id_and_listed_only_when_asked_for(provider: Provider) -> None:
    world = await served(provider)
    site = public(IdKind.SITE, await world.site())
    archived = await asked(
        provider,
        "mutation ($id: ID!) { siteArchive(input: {siteId: $id}) { site { archivedAt } errors { code } } }",
        {"id": site},
    )
    assert archived["siteArchive"]["site"]["archivedAt"] is not None
    found = await asked(provider, "query ($id: ID!) { site(id: $id) { name version } }", {"id": site})
    assert found["site"] == {"name": "Depot", "version": 2}
    shown = (await asked(provider, CLIENT, {"id": public(IdKind.CLIENT, world.whole.client)}))["client"]
    assert (shown["sites"]["totalCount"], shown["archived"]["totalCount"]) == (0, 1)


async def test_devices_and_contacts_are_put_at_a_site_and_devices_found_there(provider: Provider) -> None:
    world = await served(provider)
    client, site = public(IdKind.CLIENT, world.whole.client), public(IdKind.SITE, await world.site())
    await asked(
        provider,
        """mutation ($client: ID!, $site: ID!) {
            deviceUpsert(input: {client: {id: $client}, system: "RMM", rows: [
                {key: "depot-1", siteId: $site}, {key: "head-1"}]}) { errors { code } }
            contactCreate(input: {client: {id: $client}, name: "Kim", siteId: $site}) { errors { code } }
            discoveryRunRecord(input: {client: {id: $client}, source: "scan", devicesFound: 1, siteId: $site}) {
                errors { code } } }""",
        {"client": client, "site": site},
    )
    text = """query ($id: ID!, $site: ID!) { client(ref: {id: $id}) {
        devices(where: {siteId: $site}, first: 5) { totalCount nodes { name site { name } } }
        contacts(first: 5) { nodes { name siteId } } discoveryRuns(first: 1) { nodes { site { name } } } } }"""
    shown = (await asked(provider, text, {"id": client, "site": site}))["client"]
    assert shown["devices"] == {"totalCount": 1, "nodes": [{"name": "depot-1", "site": {"name": "Depot"}}]}
    assert {"name": "Kim", "siteId": site} in shown["contacts"]["nodes"]
    assert shown["discoveryRuns"]["nodes"] == [{"site": {"name": "Depot"}}]


async def test_what_was_said_about_an_amendment_takes_the_right_to_the_audit_trail(provider: Provider) -> None:
    world = await served(provider)
    id_ = public(IdKind.AMENDMENT, await world.amendment(note="They want it cheap."))
    text = "query ($id: ID!) { node(id: $id) { ... on Amendment { number note } } }"
    assert (await asked(provider, text, {"id": id_}))["node"] == {"number": 1, "note": "They want it cheap."}
    data, errors = await answered(provider, text, {"id": id_}, principal=without(provider.admin, Scope.AUDIT_READ))
    assert data["node"] == {"number": 1, "note": None}
    assert len(errors) == 1


async def test_an_expansion_that_is_refused_says_what_to_do(provider: Provider) -> None:
    world = await served(provider)
    viewer = await provider.invited(Role.VIEWER)
    given = {
        "clientId": public(IdKind.CLIENT, world.whole.client),
        "leadId": public(IdKind.MEMBER, world.whole.lead.id),
        "siteId": public(IdKind.SITE, await world.site()),
    }
    refused = (await asked(provider, EXPAND, {"input": given}))["onboardingExpand"]
    assert refused["onboarding"] is None
    assert [(error["code"], error["path"]) for error in refused["errors"]] == [("INVALID", ["contractId"])]
    _, errors = await answered(provider, EXPAND, {"input": given}, principal=viewer)
    assert "ONBOARDING_MOVE" in errors[0]
    unknown = given | {"contractId": public(IdKind.CONTRACT, UUID(int=1))}
    refused = (await asked(provider, EXPAND, {"input": unknown}))["onboardingExpand"]
    assert [(error["code"], error["path"]) for error in refused["errors"]] == [("NOT_FOUND", ["contractId"])]
