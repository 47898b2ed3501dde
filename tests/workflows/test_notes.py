"""Notes are written by whoever works for a client, changed by their author and emptied by a deletion."""

from uuid import UUID

import pytest

from db import notes, timeline
from domain.access import Role, Scope
from domain.errors import ForbiddenError
from domain.notes import Note
from domain.texts import NOTE_LIMIT
from domain.timeline import TimelineEntry, TimelineKind
from tests.support.onboarding import Everything, Onboarding, opened
from tests.support.providers import Provider, codes, done, sent
from workflows.notes import AddNote, DeleteNote, EditNote, add, delete, edit
from workflows.teams import TeamCommand, change_team


@pytest.fixture
async def onboarding(provider: Provider) -> Onboarding:
    return await opened(provider)


async def read(onboarding: Onboarding, note: UUID) -> Note:
    async with onboarding.provider.context.database.reading(onboarding.provider.admin) as tx:
        found = await notes.ROWS.get(tx, note)
    assert found is not None
    return found


async def written(onboarding: Onboarding, text: str = "They call at noon.") -> UUID:
    command = AddNote(text, cycle=onboarding.cycle)
    return done(await add(onboarding.provider.context, onboarding.lead, sent(), command))


async def told(onboarding: Onboarding) -> list[TimelineEntry]:
    kinds = [kind for kind in TimelineKind if kind.value.startswith("NOTE_")]
    async with onboarding.provider.context.database.reading(onboarding.provider.admin) as tx:
        return (await timeline.timelines(tx, [onboarding.cycle], Everything(), kinds))[onboarding.cycle]


async def test_a_note_is_of_its_onboarding_and_moves_no_version(onboarding: Onboarding) -> None:
    onboarding.provider.clock.forward(hours=3)
    before = await onboarding.seen()
    note = await read(onboarding, await written(onboarding, "  They call at noon. \n"))
    after = await onboarding.seen()
    assert (note.text, note.client_id, note.cycle_id) == ("They call at noon.", onboarding.client, onboarding.cycle)
    assert (note.author_id, note.version, note.edited_at) == (onboarding.lead.id, 1, None)
    assert (after.version, after.active_at) == (before.version, onboarding.provider.clock())
    assert after.active_at > before.active_at


async def test_an_author_edits_and_deletes_and_the_timeline_tells_without_words(onboarding: Onboarding) -> None:
    provider = onboarding.provider
    note = await written(onboarding)
    provider.clock.forward(minutes=5)
    done(await edit(provider.context, onboarding.lead, sent(), EditNote(note, "They call at one.", pinned=True)))
    changed = await read(onboarding, note)
    assert (changed.text, changed.pinned, changed.edited_at) == ("They call at one.", True, provider.clock())
    provider.clock.forward(minutes=5)
    done(await delete(provider.context, onboarding.lead, sent(), DeleteNote(note)))
    emptied = await read(onboarding, note)
    assert (emptied.text, emptied.pinned, emptied.deleted_at) == (None, False, provider.clock())
    entries = await told(onboarding)
    assert [(entry.kind, entry.detail, entry.subject_id) for entry in entries] == [
        (TimelineKind.NOTE_ADDED, None, note),
        (TimelineKind.NOTE_EDITED, "text, pinned", note),
        (TimelineKind.NOTE_DELETED, None, note),
    ]
    again = await delete(provider.context, onboarding.lead, sent(), DeleteNote(note))
    assert codes(again) == ["CONFLICT"]


async def test_an_edit_of_the_pin_alone_is_no_edit_of_the_text(onboarding: Onboarding) -> None:
    note = await written(onboarding)
    done(await edit(onboarding.provider.context, onboarding.lead, sent(), EditNote(note, pinned=True)))
    assert (await read(onboarding, note)).edited_at is None
    same = await edit(onboarding.provider.context, onboarding.lead, sent(), EditNote(note, pinned=True))
    assert (same.errors, same.version, same.event) == ((), 2, None)


async def test_nobody_elses_note_is_changed_but_by_a_service_manager(onboarding: Onboarding) -> None:
    provider = onboarding.provider
    note = await written(onboarding)
    colleague = await provider.invited(Role.ONBOARDING_LEAD)
    change = TeamCommand(onboarding.cycle, 1, technical_lead=colleague.id)
    done(await change_team(provider.context, onboarding.lead, sent(), change))
    assert codes(await edit(provider.context, colleague, sent(), EditNote(note, "Mine."))) == ["NOT_ALLOWED"]
    program = await provider.program(Scope.CLIENTS_READ, Scope.NOTES_WRITE)
    assert codes(await edit(provider.context, program, sent("k"), EditNote(note, "Mine."))) == ["NOT_ALLOWED"]
    manager = await provider.invited(Role.SERVICE_MANAGER)
    done(await edit(provider.context, manager, sent(), EditNote(note, "They call at two.")))
    changed = await read(onboarding, note)
    assert (changed.text, changed.author_id) == ("They call at two.", onboarding.lead.id)


async def test_an_agent_writes_where_they_are_on_the_team_and_a_viewer_nowhere(onboarding: Onboarding) -> None:
    provider = onboarding.provider
    agent = await provider.invited(Role.AGENT)
    command = AddNote("Seen.", cycle=onboarding.cycle)
    assert codes(await add(provider.context, agent, sent(), command)) == ["NOT_FOUND"]
    change = TeamCommand(onboarding.cycle, 1, engineers=(agent.id,))
    done(await change_team(provider.context, onboarding.lead, sent(), change))
    agent = await provider.signed_in(await provider.token_of(agent.id))
    done(await add(provider.context, agent, sent(), command))
    stranger = await provider.invited(Role.ONBOARDING_LEAD)
    assert codes(await add(provider.context, stranger, sent(), command)) == ["NOT_ALLOWED"]
    viewer = await provider.invited(Role.VIEWER)
    with pytest.raises(ForbiddenError, match="NOTES_WRITE"):
        await add(provider.context, viewer, sent(), command)


@pytest.mark.parametrize(
    ("text", "said"),
    [("", "needs a text"), (" \n ", "needs a text"), ("x" * (NOTE_LIMIT + 1), f"this one has {NOTE_LIMIT + 1}")],
)
async def test_a_text_that_cannot_be_a_notes_is_refused(onboarding: Onboarding, text: str, said: str) -> None:
    outcome = await add(onboarding.provider.context, onboarding.lead, sent(), AddNote(text, cycle=onboarding.cycle))
    assert codes(outcome) == ["INVALID"]
    assert said in outcome.errors[0].message
    assert outcome.errors[0].path == ("text",)


async def test_a_note_is_on_one_thing(onboarding: Onboarding) -> None:
    context, lead = onboarding.provider.context, onboarding.lead
    both = AddNote("Seen.", client=onboarding.client, cycle=onboarding.cycle)
    assert codes(await add(context, lead, sent(), both)) == ["INVALID"]
    assert codes(await add(context, lead, sent(), AddNote("Seen."))) == ["INVALID"]


async def test_a_stale_edit_is_refused_with_the_version_now(onboarding: Onboarding) -> None:
    context, note = onboarding.provider.context, await written(onboarding)
    done(await edit(context, onboarding.lead, sent(), EditNote(note, "First.", expected_version=1)))
    late = await edit(context, onboarding.lead, sent(), EditNote(note, "Second.", expected_version=1))
    assert codes(late) == ["STALE_VERSION"]
    assert (await read(onboarding, note)).text == "First."


async def test_a_note_sent_twice_with_one_key_is_written_once(onboarding: Onboarding) -> None:
    context, command = onboarding.provider.context, AddNote("Once.", cycle=onboarding.cycle)
    first = await add(context, onboarding.lead, sent("once"), command)
    assert await add(context, onboarding.lead, sent("once"), command) == first
    assert len(await told(onboarding)) == 1
