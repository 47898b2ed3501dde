"""Every query that the README shows is one that the schema answers."""

import json
import re
from pathlib import Path

import pytest
from graphql import GraphQLError, parse, validate

from api.schema import executable, product

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")

ASKED = re.findall(r"^ask \w+ '(.+?)'$", README, re.MULTILINE | re.DOTALL)
SENT = [json.loads(body)["query"] for body in re.findall(r"-d '(\{\"query\".+?\})'", README)]


def as_the_shell_gives_it(text: str) -> str:
    """Return a query with the shell's variables filled in."""
    versions = re.sub(r"'\$\(at \$\w+\)'", "3", text)
    return re.sub(r"'\$(?:(\w+)|\(day -?\d+\))'", lambda spliced: spliced[1] or "2026-11-20", versions)


@pytest.mark.parametrize("text", [*ASKED, *SENT])
def test_a_query_of_the_readme_is_valid(text: str) -> None:
    errors: list[GraphQLError] = validate(executable(product()), parse(as_the_shell_gives_it(text)))
    assert errors == []


def test_the_readme_shows_queries() -> None:
    assert len(ASKED) >= 8
    assert len(SENT) >= 1


def test_the_files_that_the_readme_links_to_exist() -> None:
    root = Path(__file__).parents[2]
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", README) if "://" not in link]
    assert [link for link in links if not (root / link).exists()] == []
