"""The check of `schema.graphql` sees what breaks a client, and lets go what was announced."""

from datetime import date

from tests.house.breaking_changes import changes

BEFORE = """
type Query {
  client: String
  pace: String @deprecated(reason: "Use cycle. Removal after 2026-03-01.")
}
"""
TODAY = date(2026, 3, 2)


def test_a_field_that_disappears_breaks() -> None:
    found = changes(BEFORE, "type Query { pace: String }", TODAY)
    assert found.breaking == ("Field Query.client was removed.",)


def test_a_deprecated_field_may_go_after_its_day_and_no_sooner() -> None:
    after = "type Query { client: String }"
    assert changes(BEFORE, after, TODAY).breaking == ()
    assert changes(BEFORE, after, date(2026, 3, 1)).breaking == ("Field Query.pace was removed.",)


def test_a_new_field_breaks_nothing_and_a_new_enum_value_is_dangerous() -> None:
    before = "enum Stage { CONTRACTING } type Query { stage: Stage }"
    after = "enum Stage { CONTRACTING LOST } type Query { stage: Stage, since: String }"
    found = changes(before, after, TODAY)
    assert found.breaking == ()
    assert len(found.dangerous) == 1
