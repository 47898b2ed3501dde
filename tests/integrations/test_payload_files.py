import json
from collections.abc import Iterator
from typing import Any

from domain.imports import LineError
from domain.tickets import ReportedTicket
from integrations import freshdesk, jira
from integrations.payload_files import parse
from tests.integrations.test_freshworks import TICKET
from tests.integrations.test_jira import hook


def lines(*bodies: Any) -> Iterator[str]:
    return iter([f"{body if isinstance(body, str) else json.dumps(body)}\n" for body in bodies])


def test_each_line_gives_its_tickets_and_a_bad_one_is_named_with_the_place_in_it() -> None:
    parsed = list(
        parse(
            lines(
                [TICKET | {"id": 1}, TICKET | {"id": 2}],
                "",
                TICKET | {"id": 3, "due_by": "soon"},
                "{",
                {"tickets": [TICKET | {"id": 2}, TICKET | {"id": 4}]},
                TICKET | {"id": 5, "created_at": {}},
                TICKET | {"id": 6, "group_id": "9" * 300},
                '{"id": 7, "status": 2, "created_at": ' + "9" * 4_000 + "}",
                "[" * 200_000,
            ),
            freshdesk.parse,
        )
    )
    errors = [one.outcome for one in parsed if isinstance(one.outcome, LineError)]
    assert [(one.line, one.column) for one in errors] == [
        (3, "$.due_by"),
        (4, None),
        (5, None),
        (6, "$.created_at"),
        (7, "$.group_id"),
        (8, "$.created_at"),
        (9, None),
    ]
    assert "jq -c" in errors[1].reason
    assert "further up" in errors[2].reason
    assert all(len(one.value or "") <= 200 for one in errors)
    tickets = [one.outcome.external_id for one in parsed if isinstance(one.outcome, ReportedTicket)]
    assert tickets == ["1", "2", "4"]


def test_lines_that_tell_of_no_ticket_are_passed_over() -> None:
    parsed = list(parse(lines(hook(), {"webhookEvent": "comment_created"}), jira.parse))
    assert [one.line for one in parsed] == [1]
