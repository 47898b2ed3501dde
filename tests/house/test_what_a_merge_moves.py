"""Every table that names a client is either moved by a merge, or stays for a reason that is written down."""

import asyncpg

from db.merging import MOVED, MOVED_UNLESS_OF_AN_ONBOARDING, MOVES, RESTATED, STAYING

NAMING_A_CLIENT = """
    select c.relname as name from pg_attribute a join pg_class c on c.oid = a.attrelid
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
      and a.attname = 'client_id' and not a.attisdropped
"""

BY_OTHER_STATEMENTS = {"contract_turn", "external_ref"}
"""One follows its contract, and keys of the client take its new id as what they lead to."""


async def test_a_merge_has_a_place_for_every_table_that_names_a_client(worker_database: str) -> None:
    connection = await asyncpg.connect(worker_database)
    try:
        found = {row["name"] for row in await connection.fetch(NAMING_A_CLIENT)}
    finally:
        await connection.close()
    placed = [*MOVED, *MOVED_UNLESS_OF_AN_ONBOARDING, *RESTATED, *STAYING]
    assert len(placed) == len(set(placed))
    assert found == set(placed), "say in db/merging.py whether its rows go over in a merge, or why they stay"


def test_what_is_said_to_move_is_moved() -> None:
    assert set(MOVES) == {*MOVED, *MOVED_UNLESS_OF_AN_ONBOARDING} - BY_OTHER_STATEMENTS
