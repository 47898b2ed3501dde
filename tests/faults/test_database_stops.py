"""The database dies under thirty-two leads and comes back: the server that stayed up meets it without a restart."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from db.embedded import EmbeddedServer
from tests.support.leads import Leads
from tests.support.serving import ServerProcess
from tests.support.storm import Storm, storm

MOVES = 180
AWAY_S = 2.0

READY: list[bool] = []


@pytest.fixture(scope="module")
async def after(server_folder: Path) -> AsyncIterator[Storm]:
    """What is left after the leads have worked through two losses of the database."""
    async with storm(server_folder / "stops", MOVES, _stop_twice) as found:
        yield found


async def test_what_was_acknowledged_is_kept_once_and_the_rest_is_settled_by_its_key(after: Storm) -> None:
    assert sum(command.tries > 1 for command in after.leads.sent) > 0, "no answer was ever lost: nothing was tried"
    await after.each_acknowledged_move_has_one_row_and_one_event()
    await after.the_same_key_gives_the_first_answer()


async def test_states_and_histories_agree(after: Storm) -> None:
    await after.no_client_is_in_two_states()
    await after.the_history_replays_to_the_state()


async def test_readers_go_on_where_they_were(after: Storm) -> None:
    await after.no_reader_misses_or_doubles_an_event()


async def test_the_server_said_that_it_was_not_ready_and_then_that_it_was(after: Storm) -> None:
    assert READY == [False, True, False, True]


async def test_no_session_is_left_idle_in_a_transaction(after: Storm) -> None:
    left = """
        select pid, state, query from pg_stat_activity
        where state like 'idle in transaction%' and clock_timestamp() - state_change > interval '1 second'
    """
    assert await after.rows(left) == []


async def _stop_twice(server: ServerProcess, leads: Leads, postgres: EmbeddedServer) -> None:
    """Kill the database's own processes, leave it away for a while, and bring it back; the server is left alone."""
    assert server.process is not None
    pid = server.process.pid
    for share in (1, 2):
        await leads.moved(MOVES * share // 3)
        os.kill(int((postgres.home / "cluster" / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
        await asyncio.sleep(AWAY_S)
        READY.append(await server.ready())
        await asyncio.to_thread(_start_again, postgres)
        async with asyncio.timeout(60):
            while not await server.ready():  # noqa: ASYNC110 -- the server is asked, as its operator would
                await asyncio.sleep(0.1)
        READY.append(True)
    assert (server.process.pid, server.process.returncode) == (pid, None)


def _start_again(postgres: EmbeddedServer) -> None:
    """Start the server by a second hold; the first one keeps it running when that is let go."""
    EmbeddedServer(postgres.directory).start().stop()
