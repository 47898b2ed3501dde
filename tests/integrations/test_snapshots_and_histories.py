"""The webhooks of every change, put together, tell the course that the audits of the same ticket tell."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from domain.sightings import seen
from domain.tickets import ReportedTicket
from integrations import zendesk
from tests.integrations.test_zendesk import audit, changed, event

STATUSES = ("new", "open", "pending", "hold", "solved")
CHANGES = st.one_of(
    st.tuples(st.just("status"), st.sampled_from(STATUSES)),
    st.tuples(st.just("group_id"), st.sampled_from(["1", "2", "3"])),
    st.tuples(st.just("assignee_id"), st.sampled_from(["7", "8"])),
)


def when(minutes: int) -> str:
    return f"{8 + minutes // 60:02}:{minutes % 60:02}"


@given(st.lists(CHANGES, max_size=25))
def test_webhooks_of_every_change_add_up_to_the_audits(changes: list[tuple[str, Any]]) -> None:
    state: dict[str, Any] = {"status": "new", "group_id": "1", "assignee_id": None}
    audits = [audit("08:00", *(changed(name, value) for name, value in state.items()))]
    known: ReportedTicket | None = None
    for minutes, (name, value) in enumerate([("status", "new"), *changes]):
        state[name] = value
        if minutes:
            audits.append(audit(when(minutes), changed(name, value)))
        told = {**state, "status": state["status"].upper(), "updated_at": f"2026-03-02T{when(minutes)}:00Z"}
        (snapshot,) = zendesk.parse(event("changed", **told))
        known = seen(known, snapshot)
    detail = event("changed", **state)["detail"]
    (whole,) = zendesk.parse({"ticket": detail | {"status": state["status"]}, "audits": audits})
    assert known is not None
    assert known.hand_overs == whole.hand_overs
    assert known.waits == whole.waits
    assert known.resolutions == whole.resolutions
    assert known.reopenings == whole.reopenings
