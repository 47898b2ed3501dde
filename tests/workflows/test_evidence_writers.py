"""Writers of what gates look at wait for a move that is judging it, and hold one that begins."""

import asyncio

from sqlalchemy import text

from tests.support.onboarding import Onboarding, opened
from tests.support.providers import Provider, codes, done, sent
from tests.workflows.test_belongings import commands_on, everything_of
from workflows.contacts import CreateContact
from workflows.contacts import create as create_contact

JUDGING = text("select version from cycle where tenant_id = :tenant and id = :cycle for no key update")


async def test_every_writer_waits_for_the_move_that_is_judging(provider: Provider) -> None:
    onboarding = await opened(provider)
    ids = await everything_of(provider, onboarding.client)
    async with provider.context.database.writing(provider.admin) as tx:
        await tx.run(JUDGING, tenant=tx.tenant, cycle=onboarding.cycle)
        writing = asyncio.create_task(commands_on(provider, provider.admin, onboarding.client, ids, "key"))
        await asyncio.sleep(0.3)
        assert not writing.done()
    outcomes = await writing

    assert [codes(outcome) for outcome in outcomes] == [[]] * len(outcomes)


async def test_a_writer_that_waits_too_long_is_told_to_try_again(provider: Provider) -> None:
    onboarding = await opened(provider)
    async with provider.context.database.writing(provider.admin) as tx:
        await tx.run(JUDGING, tenant=tx.tenant, cycle=onboarding.cycle)
        command = CreateContact(onboarding.client, "Cy")
        outcome = await create_contact(provider.context, provider.admin, sent("key"), command)
    assert codes(outcome) == ["BUSY"]
    done(await create_contact(provider.context, provider.admin, sent("key"), command))


async def test_writers_do_not_wait_for_each_other(provider: Provider) -> None:
    onboarding: Onboarding = await opened(provider)
    commands = (CreateContact(onboarding.client, f"Cy {n}") for n in range(8))
    outcomes = await asyncio.gather(
        *(create_contact(provider.context, provider.admin, sent(), command) for command in commands)
    )
    assert [codes(outcome) for outcome in outcomes] == [[]] * 8


async def test_whoever_is_on_the_team_of_an_open_onboarding_may_write(provider: Provider) -> None:
    onboarding = await opened(provider)
    done(await create_contact(provider.context, onboarding.lead, sent(), CreateContact(onboarding.client, "Cy")))
