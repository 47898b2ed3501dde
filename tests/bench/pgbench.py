"""pgbench on the very statements that a use case ran: recorded once from the product, replayed with fresh ids."""

import json
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch
from uuid import UUID

import asyncpg
from sqlalchemy.sql.expression import Executable

from db import session
from db.embedded import EmbeddedServer
from db.embedded_programs import installed_programs, server_account
from db.session import APP_ROLE, Transaction
from tests.bench.world import World

_TPS = re.compile(r"tps = ([\d.]+)")
_PLACE = re.compile(r"\$(\d+)")
_COMMENT = re.compile(r"--[^\n]*")


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement as it went to PostgreSQL, with its parameters by name."""

    sql: str
    names: Sequence[str]
    values: Sequence[Any]


@contextmanager
def recorded() -> Iterator[list[Statement]]:
    """Take down every statement that runs in the block."""
    statements: list[Statement] = []
    run = Transaction.rows

    async def rows(self: Transaction, statement: Executable, **params: object) -> list[asyncpg.Record]:
        sql, names, defaults = session._compiled(statement)
        statements.append(Statement(sql, names, [params.get(name, defaults.get(name)) for name in names]))
        return await run(self, statement, **params)

    with patch.object(Transaction, "rows", rows):
        yield statements


@dataclass
class Script:
    """A pgbench script in the making; constants go in as variables, so that they are parameters there too."""

    connection: "asyncpg.Connection[asyncpg.Record]"
    dynamic: Mapping[UUID, str]
    """Ids that differ from one run to the next, with the pgbench variable that holds each."""
    constants: dict[str, str]
    expressions: Mapping[str, str] = field(default_factory=dict)
    """Parameters that are computed from variables, by name."""

    async def render(self, statement: Statement) -> str:
        """Return the statement with pgbench's variables in the places of its parameters."""
        types = [f"{kind.schema}.{_name(kind)}" for kind in (await self._parameters(statement.sql))]
        places = [
            self._place(name, value, type_)
            for name, value, type_ in zip(statement.names, statement.values, types, strict=True)
        ]
        one_line = " ".join(_COMMENT.sub("", statement.sql).split())
        return _PLACE.sub(lambda found: places[int(found[1]) - 1], one_line)

    async def _parameters(self, sql: str) -> tuple[asyncpg.Type, ...]:
        return (await self.connection.prepare(sql)).get_parameters()

    def _place(self, name: str, value: Any, type_: str) -> str:
        if name in self.expressions:
            return self.expressions[name]
        if isinstance(value, UUID) and value in self.dynamic:
            return f"cast(:{self.dynamic[value]} as uuid)"
        if isinstance(value, list) and any(isinstance(one, UUID) and one in self.dynamic for one in value):
            return f"cast(array[{', '.join(self._place('', one, 'uuid') for one in value)}] as uuid[])"
        # A null in the text would let the planner leave out what a parameter makes it keep.
        variable = f"v{len(self.constants)}"
        self.constants[variable] = "null" if value is None else _text(value, type_)
        given = f"nullif(cast(:{variable} as text), 'null')" if value is None else f":{variable}"
        return f"cast({given} as {type_})"


def _name(kind: asyncpg.Type) -> str:
    return f"{kind.name.removeprefix('_').removesuffix('[]')}[]" if kind.kind == "array" else kind.name


def _text(value: Any, type_: str) -> str:
    if type_.endswith(("json", "jsonb")):
        return json.dumps(value)
    if isinstance(value, list):
        return "{" + ",".join("null" if one is None else json.dumps(_text(one, "")) for one in value) + "}"
    if isinstance(value, date | datetime):
        return value.isoformat()
    return str(value)


def program(world: World) -> Path | None:
    """Return where pgbench lies beside the server's programs, or `None` where it does not."""
    path = installed_programs(server_account(), copies=world.server.directory).folder / "pgbench"
    return path if path.exists() else None


def run(
    program: Path, server: EmbeddedServer, script: Path, constants: Mapping[str, str], *, clients: int, seconds: float
) -> float:
    """Run a script for some seconds and return how often each second it ran to its end."""
    given = [f"--define={name}={value}" for name, value in constants.items()]
    command = [str(program), "-h", str(server.home), "-U", APP_ROLE, "-n", "-M", "prepared", "-c", str(clients)]
    command += ["-j", "1", "-T", str(round(seconds)), "-f", str(script), *given, "postgres"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    found = _TPS.search(done.stdout)
    if found is None or "aborted" in done.stderr:
        raise RuntimeError(f"pgbench failed: {done.stderr[-2000:]}")
    return float(found[1])
