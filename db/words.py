"""Words: every column in which people write what they like, declared once, so that a person is found in all of them.

A house test compares this list with the catalogue of the database: a new column is a line here, or is shown there to
hold nothing but codes and ids.
"""

from dataclasses import dataclass
from enum import StrEnum


class WordKind(StrEnum):
    """What stands in a column, and so what becomes of it."""

    PROSE = "PROSE"
    """What was written about a client; parts of a name count here, and all of it goes with the client."""
    LABEL = "LABEL"
    """What something of a client's is called; it goes with the client."""
    TERM = "TERM"
    """What the provider and its systems call things, and what they answered; it stays but for the person."""
    KEY = "KEY"
    """A key that cannot be changed without leading elsewhere; a row whose key names the person goes."""


@dataclass(frozen=True, slots=True)
class Words:
    """One column that holds words; of a JSON column only what stands under `members`, or all where none is named.

    `sort_key` is the column that is derived from this one.
    """

    table: str
    column: str
    kind: WordKind
    members: tuple[str, ...] = ()
    sort_key: str | None = None


PROSE, LABEL, TERM, KEY = WordKind.PROSE, WordKind.LABEL, WordKind.TERM, WordKind.KEY

WORDS: tuple[Words, ...] = (
    Words("amendment", "note", PROSE),
    Words("amendment", "title", LABEL),
    Words("attestation", "statement", PROSE),
    Words("checklist_item", "link", PROSE),
    Words("checklist_item", "note", PROSE),
    Words("checklist_item", "title", LABEL),
    Words("client", "industry", TERM),
    Words("client", "merge_reason", PROSE),
    Words("client", "name", LABEL, sort_key="name_key"),
    Words("contract", "title", LABEL),
    Words("definition", "body", TERM, members=("title",)),
    Words("definition", "note", PROSE),
    Words("device", "kind", TERM),
    Words("device", "name", LABEL, sort_key="name_key"),
    Words("device", "serial", LABEL),
    Words("discovery_run", "source", TERM),
    Words("escalation", "from_team", TERM),
    Words("escalation", "reason", PROSE),
    Words("escalation", "to_team", TERM),
    Words("escalation_rule", "body", TERM, members=("management_teams", "vendor_teams")),
    Words("escalation_rule", "note", PROSE),
    Words("external_ref", "key", KEY),
    Words("follow_up", "note", PROSE),
    Words("follow_up", "title", PROSE),
    Words("hand_off", "incumbent", PROSE),
    Words("hand_off", "promises", PROSE),
    Words("hand_off", "risks", PROSE),
    Words("hand_off", "scope_sold", PROSE),
    Words("hand_off", "secrets_place", PROSE),
    Words("hand_off", "support", PROSE),
    Words("hand_over", "team", TERM),
    Words("hold", "note", PROSE),
    Words("idempotency", "key", KEY),
    Words("idempotency", "outcome", TERM),
    Words("job", "failure", TERM),
    Words("job", "file_name", TERM),
    Words("job", "parameters", TERM, members=("mapping",)),
    Words("job_error", "reason", PROSE),
    Words("job_error", "value", PROSE),
    Words("inbound_message", "body", PROSE),
    Words("inbound_message", "reason", PROSE),
    Words("inbound_source", "name", TERM),
    Words("note", "text", PROSE),
    Words("notice", "reason", PROSE),
    Words("planned_date", "reason", PROSE),
    Words("service", "name", LABEL, sort_key="name_key"),
    Words("site", "city", LABEL),
    Words("site", "name", LABEL, sort_key="name_key"),
    Words("site", "postcode", LABEL),
    Words("site", "street", LABEL),
    Words("ticket", "category", TERM),
    Words("ticket", "client_key", LABEL),
    Words("ticket", "course", TERM),
    Words("ticket", "device_key", LABEL),
    Words("ticket", "site_key", LABEL),
    Words("ticket", "title", PROSE),
    Words("ticket_term", "name", TERM),
    Words("token", "name", TERM),
    Words("transition", "gates", PROSE, members=("reason",)),
    Words("transition", "reason", PROSE),
    Words("waiver", "reason", PROSE),
)

PERSONAL: frozenset[tuple[str, str]] = frozenset(
    {
        ("contact", "name"),
        ("contact", "name_key"),
        ("contact", "email"),
        ("contact", "email_domain"),
        ("contact", "phone"),
        ("contact", "language"),
        ("member", "name"),
        ("member", "email"),
    }
)
"""What is the person's own; it goes with them, and nothing in it is somebody else's to be looked for."""
