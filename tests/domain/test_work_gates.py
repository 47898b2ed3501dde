"""Gates that people's work meets: checklists, the items that prove a gate, and the hand-off record."""

from dataclasses import replace

import pytest

from domain.checklists import Task
from domain.default_checklists import CHECKLISTS
from domain.definition_documents import read, write
from domain.definitions import Rules
from domain.gates import Answer
from domain.hand_off import HandOffField
from domain.moves import Gate
from domain.stages import Stage
from tests.domain.test_gates import answer

SCAN = Task(Stage.ASSET_DISCOVERY, "Scan the network", required=True, proves=None, own=False, done=False)
RESTORE = replace(SCAN, title="Restore a file", proves=Gate.BACKUP_VERIFIED)
WISH = replace(SCAN, title="Count licences", required=False)


def done(task: Task) -> Task:
    return replace(task, done=True)


@pytest.mark.parametrize(
    ("tasks", "expected", "said"),
    [
        ((), Answer.NOT_MEASURED, "no required item"),
        ((WISH,), Answer.NOT_MEASURED, "no required item"),
        (
            (SCAN, RESTORE, WISH),
            Answer.FAIL,
            "2 of 2 required items of ASSET_DISCOVERY are not done: “Scan",
        ),
        (
            (done(SCAN), RESTORE),
            Answer.FAIL,
            "1 of 2 required items of ASSET_DISCOVERY are not done: “Restore",
        ),
        ((done(SCAN), done(RESTORE), WISH), Answer.PASS, "All 2 required"),
        ((replace(SCAN, stage=Stage.CONTRACTING),), Answer.NOT_MEASURED, "no required item"),
    ],
)
def test_a_checklist_passes_when_all_that_is_required_is_done(
    tasks: tuple[Task, ...], expected: Answer, said: str
) -> None:
    found, reason = answer(Gate.DISCOVERY_CHECKLIST, tasks=tasks)
    assert found is expected
    assert said in reason


@pytest.mark.parametrize(
    ("tasks", "expected", "said"),
    [
        ((done(SCAN),), Answer.NOT_MEASURED, "attest it, or waive"),
        ((RESTORE,), Answer.FAIL, "“Restore a file”"),
        ((done(RESTORE),), Answer.PASS, "“Restore a file”"),
        ((done(RESTORE), replace(RESTORE, title="Restore a mailbox")), Answer.FAIL, "“Restore a mailbox”"),
        ((done(RESTORE), replace(RESTORE, required=False)), Answer.PASS, "Done"),
        ((replace(done(RESTORE), required=False),), Answer.PASS, "Done"),
    ],
)
def test_a_gate_is_proved_by_the_items_that_say_so(tasks: tuple[Task, ...], expected: Answer, said: str) -> None:
    found, reason = answer(Gate.BACKUP_VERIFIED, tasks=tasks)
    assert found is expected
    assert said in reason


def test_a_reason_that_is_kept_for_good_counts_own_items_and_does_not_call_them_by_name() -> None:
    own = replace(SCAN, title="Talk to Mrs Jansen about her laptop", own=True)
    assert answer(Gate.DISCOVERY_CHECKLIST, tasks=(SCAN, own))[1].endswith("“Scan the network”, 1 own item.")


def test_a_hand_off_record_lists_what_it_leaves_out() -> None:
    assert answer(Gate.HAND_OFF_COMPLETE, hand_off_missing=())[0] is Answer.PASS
    found, reason = answer(Gate.HAND_OFF_COMPLETE, hand_off_missing=(HandOffField.PROMISES, HandOffField.VIPS))
    assert found is Answer.FAIL
    assert "PROMISES, VIPS" in reason


def test_the_checklists_of_a_new_provider_prove_every_gate_that_they_can_and_are_a_definition() -> None:
    rules = Rules(checklists=CHECKLISTS)
    assert read(write(rules)) == rules
    proved = {item.proves for listed in CHECKLISTS.values() for item in listed} - {None}
    assert proved == {
        Gate.BACKUP_VERIFIED,
        Gate.CREDENTIALS_HANDED_OVER,
        Gate.DOCUMENTATION_SIGNED_OFF,
        Gate.DATA_HANDED_BACK,
    }
    for stage in (Stage.CONTRACTING, Stage.ASSET_DISCOVERY, Stage.EARLY_SUPPORT, Stage.OFFBOARDED):
        assert 5 <= len(CHECKLISTS[stage]) <= 8
