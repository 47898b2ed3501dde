"""The house keeps its shape: small files, a domain that imports nothing, layers that import-linter holds."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
PACKAGES = ("api", "db", "demo", "domain", "integrations", "workflows")
CEILING_LINES = 400


def sources(*packages: str) -> Iterator[Path]:
    for package in packages:
        yield from (path for path in (REPOSITORY / package).rglob("*.py") if "node_modules" not in path.parts)


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or "."


def test_no_file_outgrows_the_ceiling() -> None:
    lengths = {
        str(path.relative_to(REPOSITORY)): len(path.read_text(encoding="utf-8").splitlines())
        for path in sources(*PACKAGES, "tests")
    }
    assert {path: lines for path, lines in lengths.items() if lines > CEILING_LINES} == {}


def test_the_domain_imports_the_standard_library_and_itself() -> None:
    foreign = {
        (str(path.relative_to(REPOSITORY)), name)
        for path in sources("domain")
        for name in imported(path)
        if name.partition(".")[0] not in sys.stdlib_module_names | {"domain"}
    }
    assert foreign == set()


def test_the_domain_asks_no_clock() -> None:
    clocks = {("datetime", "now"), ("datetime", "utcnow"), ("date", "today"), ("time", "time")}
    asked = {
        (str(path.relative_to(REPOSITORY)), node.lineno)
        for path in sources("domain")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and (node.value.id, node.attr) in clocks
    }
    assert asked == set()


def test_a_module_opens_with_a_sentence_that_names_its_concept() -> None:
    first = {
        str(path.relative_to(REPOSITORY)): (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "")
        for path in sources(*PACKAGES)
    }
    assert [path for path, docstring in first.items() if not docstring.partition("\n")[0].endswith((".", ":"))] == []


@pytest.mark.e2e
def test_imports_point_the_way_the_layers_say() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run([linter, "--no-cache"], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout
