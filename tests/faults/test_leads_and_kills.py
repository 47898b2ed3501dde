"""Thirty-two leads hammer twenty clients while their server is killed: nothing lost, doubled or missed."""

import asyncio
import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from db.embedded import EmbeddedServer
from tests.support.leads import Leads
from tests.support.serving import ServerProcess
from tests.support.storm import Storm, storm

MOVES, KILLS = 300, 3


@pytest.fixture(scope="module")
async def after(server_folder: Path) -> AsyncIterator[Storm]:
    """What is left after the leads have worked through three kills."""
    async with storm(server_folder / "kills", MOVES, _kill) as found:
        yield found


async def test_every_acknowledged_move_has_one_row_and_one_event(after: Storm) -> None:
    assert after.leads.moves >= MOVES
    assert sum(command.tries > 1 for command in after.leads.sent) > 0, "no answer was ever lost: nothing was tried"
    await after.each_acknowledged_move_has_one_row_and_one_event()


async def test_the_same_key_gives_the_first_answer_whatever_happened(after: Storm) -> None:
    await after.the_same_key_gives_the_first_answer()


async def test_no_client_is_in_two_states(after: Storm) -> None:
    await after.no_client_is_in_two_states()


async def test_the_history_replays_to_the_state(after: Storm) -> None:
    await after.the_history_replays_to_the_state()


async def test_no_reader_misses_or_doubles_an_event(after: Storm) -> None:
    await after.no_reader_misses_or_doubles_an_event()


async def _kill(server: ServerProcess, leads: Leads, _: EmbeddedServer) -> None:
    """Kill the server in the middle of the work, several times, and start it again each time."""
    chance = random.Random(11)
    for number in range(KILLS):
        await leads.moved(MOVES * (number + 1) // (KILLS + 1))
        await asyncio.sleep(chance.random() * 0.3)
        await server.kill()
        await asyncio.sleep(0.2)
        await server.start()
