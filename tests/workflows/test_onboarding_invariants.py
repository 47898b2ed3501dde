"""Whatever moves are tried in whatever order, the invariants of an onboarding hold."""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import timedelta
from typing import Any, TypeVar
from urllib.parse import urlsplit
from uuid import UUID

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from db import definitions
from db.session import APP_ROLE, RELAY_ROLE, Database
from domain.access import Principal
from domain.clients import ContractScope, ContractType, Party
from domain.consequences import Consequence, untold
from domain.corrections import happenings
from domain.errors import Outcome
from domain.moves import Gate, Move
from domain.onboarding import Cycle, EndReason, HoldReason, Transition
from domain.readiness import FORWARD
from domain.stages import Stage
from tests.support.chronicle import Story, stamps, told
from tests.support.merging import seen
from tests.support.onboarding import Onboarding, opened
from tests.support.postgres import Postgres
from tests.support.providers import done, new_provider, sent
from tests.support.tickets import report, ticket
from workflows.beginning import Team
from workflows.contacts import CreateContact
from workflows.contacts import create as create_contact
from workflows.contracts import CreateContract
from workflows.contracts import create as create_contract
from workflows.correcting import CorrectCommand, correct
from workflows.definitions import EditDefinition, edit_definition
from workflows.effects import fire_due
from workflows.expansion import ExpandCommand, expand
from workflows.merging import MergeClients, merge
from workflows.migrations import MigrateCycles, migrate
from workflows.notices import NoticeCommand, WithdrawCommand, give_notice, withdraw_notice
from workflows.opening import OpenCommand, open_cycle
from workflows.sites import CreateSite
from workflows.sites import create as create_site
from workflows.undoing import UndoCommand, undo
from workflows.waivers import (
    AttestCommand,
    WaiverCommand,
    WaiverDecision,
    attest,
    grant_waiver,
    request_waiver,
    withdraw_waiver,
)

T = TypeVar("T")
Verb = Callable[[Any, Principal, Any, Any], Coroutine[Any, Any, Outcome]]


def unnamed(outcome: Outcome) -> list[Consequence]:
    """Return what a command told, without the ids of what it made."""
    return [replace(change, subject=None) for change in untold(outcome.facts)]


class OnboardingMachine(RuleBasedStateMachine):
    """Random moves, holds, waivers, attestations, roll-backs, ends and reopenings of one client and its sites.

    Among them corrections, undos, notices, migrations to edited definitions, merges and tickets logged at any time.
    """

    postgres: Postgres
    url: str
    tried: Counter[str]

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        name = urlsplit(self.url).path.removeprefix("/")
        self.database = self.run(
            Database.connect(self.postgres.url(name, APP_ROLE), self.postgres.url(name, RELAY_ROLE), size=2)
        )
        self.frozen: dict[UUID, tuple[Cycle, tuple[Transition, ...]]] = {}

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def teardown(self) -> None:
        self.run(self.database.close())
        self.runner.close()

    @initialize()
    def open_one(self) -> None:
        self.provider = self.run(new_provider(self.database))
        self.onboarding: Onboarding = self.run(opened(self.provider))
        self.number, self.tickets = 1, 0
        self.sites: list[UUID] = []

    @property
    def current(self) -> UUID:
        """The onboarding that is worked on just now: the client's, or one of its sites'."""
        return self.onboarding.cycle

    async def newest(self) -> int:
        async with self.database.reading(self.provider.admin) as tx:
            newest = await definitions.newest(tx)
        return newest.number if newest else 0

    async def chronicle(self) -> list[Story]:
        stories = await told(self.database, self.provider, self.onboarding.client)
        return [story for story in stories if story.cycle.id == self.current]

    def note(self, verb: str, outcome: Outcome) -> None:
        """Count how often what was tried was done, or why not."""
        self.tried[f"{verb}: {outcome.errors[0].code if outcome.errors else 'done'}"] += 1

    def foreseen(self, verb: Verb, by: Principal, command: Callable[[bool], object], *, rehearse: bool) -> None:
        """Do something, sometimes after a dry run of it: that changes nothing, and foretells what then happens."""
        foretold = None
        if rehearse:
            before = self.run(self.chronicle())
            foretold = self.run(verb(self.provider.context, by, sent(), command(True)))
            assert self.run(self.chronicle()) == before
        outcome = self.run(verb(self.provider.context, by, sent(), command(False)))
        self.note(verb.__name__, outcome)
        self.onboarding.version = self.cycle.version
        if foretold is not None:
            assert foretold.errors == outcome.errors
            assert unnamed(foretold) == unnamed(outcome)

    @property
    def cycle(self) -> Cycle:
        return self.run(self.onboarding.seen())

    def moved(self, move: Move, **details: object) -> Outcome:
        self.onboarding.version = self.cycle.version
        return self.run(self.onboarding.move(move, by=self.provider.admin, **details))  # type: ignore[arg-type]

    @rule(move=st.sampled_from([Move.BEGIN_DISCOVERY, Move.GO_LIVE, Move.GRADUATE]))
    def try_forward(self, move: Move) -> None:
        self.moved(move)

    @rule()
    def waive_what_is_shut_and_go_on(self) -> None:
        before = self.cycle
        move = FORWARD.get(before.stage)
        if move is None or before.held_at:
            return
        outcome = self.moved(move)
        for blocker in outcome.errors[0].blockers if outcome.errors else ():  # type: ignore[attr-defined]
            hard = blocker.hardness == "HARD"
            self.run(self.onboarding.waive(move, Gate(blocker.gate), hard=hard))
        if outcome.errors:
            done(self.moved(move))

    @rule(move=st.sampled_from(list(Move)), gate=st.sampled_from(list(Gate)), decide=st.sampled_from("gwn"))
    def waive_anything(self, move: Move, gate: Gate, decide: str) -> None:
        context = self.provider.context
        command = WaiverCommand(self.onboarding.cycle, move, gate, "because")
        asked = self.run(request_waiver(context, self.onboarding.lead, sent(), command))
        if asked.errors or asked.subject is None:
            return
        decision = WaiverDecision(asked.subject)
        if decide == "g":
            self.run(grant_waiver(context, self.provider.admin, sent(), decision))
        if decide == "w":
            self.run(withdraw_waiver(context, self.onboarding.lead, sent(), decision))

    @rule(gate=st.sampled_from(list(Gate)))
    def attest_anything(self, gate: Gate) -> None:
        command = AttestCommand(self.onboarding.cycle, gate, "seen", self.provider.clock().date())
        self.run(attest(self.provider.context, self.onboarding.lead, sent(), command))

    @precondition(lambda self: not hasattr(self, "signed"))
    @rule()
    def sign(self) -> None:
        self.run(self.onboarding.sign())
        self.signed = True

    @rule(reason=st.sampled_from(list(HoldReason)))
    def hold(self, reason: HoldReason) -> None:
        self.moved(Move.HOLD, hold_reason=reason)

    @rule()
    def resume(self) -> None:
        self.moved(Move.RESUME)

    @rule(to=st.sampled_from(list(Stage)))
    def roll_back(self, to: Stage) -> None:
        self.moved(Move.ROLL_BACK, to=to, reason="again")

    @rule(move=st.sampled_from([Move.LOSE, Move.OFF_BOARD]), really=st.integers(0, 3))
    def end(self, move: Move, really: int) -> None:
        if really == 0:
            self.moved(move, reason="over", outcome=EndReason.OTHER)

    @rule()
    def reopen(self) -> None:
        command = OpenCommand(self.onboarding.client, self.onboarding.lead.id, self.onboarding.contract, reopen=True)
        outcome = self.run(open_cycle(self.provider.context, self.provider.admin, sent(), command))
        if not outcome.errors and outcome.subject:
            self.onboarding.cycle, self.onboarding.version = outcome.subject, outcome.version or 0

    @rule(hours=st.sampled_from([1, 30, 24 * 15, 24 * 95]))
    def let_time_pass(self, hours: int) -> None:
        self.provider.clock.forward(hours=hours)
        self.run(fire_due(self.provider.context))

    @rule(dry=st.booleans(), choice=st.integers(0, 3))
    def go_on_and_back(self, dry: bool, choice: int) -> None:
        """Make a move and undo it at once, which among so many random ones would hardly come to pass."""
        if choice == 0:
            self.moved(Move.LOSE, reason="over", outcome=EndReason.OTHER)
        elif choice == 1:
            self.moved(Move.OFF_BOARD, reason="over", outcome=EndReason.OTHER)
        else:
            self.waive_what_is_shut_and_go_on()
        self.undo_the_last(dry, 1)

    @rule(dry=st.booleans(), stranger=st.integers(0, 4))
    def undo_the_last(self, dry: bool, stranger: int) -> None:
        self.provider.clock.forward(seconds=1)
        by = self.onboarding.lead if stranger == 0 else self.provider.admin
        self.foreseen(undo, by, lambda dry: UndoCommand(self.current, self.cycle.version, None, dry), rehearse=dry)

    @rule(choice=st.integers(0, 50), share=st.floats(-0.1, 1.1), dry=st.booleans())
    def correct_when_something_happened(self, choice: int, share: float, dry: bool) -> None:
        accepted = self.run(self.chronicle())[-1].accepted
        told = happenings(accepted)
        one = told[choice % len(told)]
        start = one.after or one.effective_at - timedelta(days=3)
        end = one.before or self.provider.clock()
        to = start + (end - start) * share

        def command(dry: bool) -> CorrectCommand:
            return CorrectCommand(self.current, one.move.id, to, "it was so", self.cycle.version, dry)

        self.foreseen(correct, self.provider.admin, command, rehearse=dry)

    @rule(dry=st.booleans(), choice=st.integers(0, 3))
    def serve_and_be_left(self, dry: bool, choice: int) -> None:
        """Come into service and into notice, and mostly out of it, which random moves alone seldom do."""
        self.turn_to_another_onboarding(0)
        if self.cycle.ended:
            self.reopen()
        if self.cycle.held_at:
            self.moved(Move.RESUME)
        while self.cycle.stage in (Stage.CONTRACTING, Stage.ASSET_DISCOVERY):
            self.waive_what_is_shut_and_go_on()
        self.give_notice(90, dry)
        if choice < 3:
            self.withdraw_notice(dry)
        if choice == 1:
            self.expand_to_a_site(1)
            self.turn_to_another_onboarding(-1)

    @rule(days=st.integers(0, 200), dry=st.booleans())
    def give_notice(self, days: int, dry: bool) -> None:
        ends_on = self.provider.clock().date() + timedelta(days=days)

        def command(dry: bool) -> NoticeCommand:
            version = self.cycle.version
            return NoticeCommand(self.current, version, Party.CLIENT, ends_on, EndReason.PRICE, "so", dry_run=dry)

        self.foreseen(give_notice, self.onboarding.lead, command, rehearse=dry)

    @rule(dry=st.booleans())
    def withdraw_notice(self, dry: bool) -> None:
        self.provider.clock.forward(seconds=1)
        self.foreseen(
            withdraw_notice,
            self.onboarding.lead,
            lambda dry: WithdrawCommand(self.current, self.cycle.version, "they stay", dry),
            rehearse=dry,
        )

    @rule(really=st.integers(0, 2))
    def discard(self, really: int) -> None:
        if really == 0:
            self.moved(Move.DISCARD, reason="typo", outcome=EndReason.MISTAKE)

    @rule(days=st.integers(1, 40), hard=st.sampled_from([Gate.PRIMARY_CONTACT, Gate.DEVICES_MANAGED]))
    def edit_the_definition_and_migrate(self, days: int, hard: Gate) -> None:
        context, admin = self.provider.context, self.provider.admin
        edit = {"targets": {"CONTRACTING": days}, "gates": {hard.value: "HARD"}}
        self.run(edit_definition(context, admin, sent(), EditDefinition(self.number, edit)))
        self.number = self.run(self.newest())
        self.provider.clock.forward(seconds=1)
        self.note(
            "migrate", self.run(migrate(context, admin, sent(), MigrateCycles(self.number, "newest", (self.current,))))
        )

    @rule(place=st.integers(0, 2))
    def expand_to_a_site(self, place: int) -> None:
        while len(self.sites) <= place:
            command = CreateSite(self.onboarding.client, f"Site {len(self.sites)}")
            site = self.run(create_site(self.provider.context, self.provider.admin, sent(), command))
            self.sites.append(done(site))
        terms = CreateContract(self.onboarding.client, "Site", ContractType.MANAGED, (ContractScope.ENDPOINTS,))
        contract = done(self.run(create_contract(self.provider.context, self.provider.admin, sent(), terms)))
        wanted = ExpandCommand(self.onboarding.client, Team(self.onboarding.lead.id), self.sites[place], None, contract)
        self.note("expand", self.run(expand(self.provider.context, self.provider.admin, sent(), wanted)))

    @rule(choice=st.integers(0, 20))
    def turn_to_another_onboarding(self, choice: int) -> None:
        stories = self.run(told(self.database, self.provider, self.onboarding.client))
        cycle = stories[choice % len(stories)].cycle
        self.onboarding.cycle, self.onboarding.version = cycle.id, cycle.version

    @rule(hours_ago=st.integers(0, 24 * 40))
    def log_a_ticket(self, hours_ago: int) -> None:
        self.tickets += 1
        logged_at = self.provider.clock() - timedelta(hours=hours_ago, microseconds=1)
        self.run(report(self.provider, ticket(self.tickets, logged_at=logged_at), client=self.onboarding.client))

    @rule(count=st.integers(0, 3), hours_ago=st.integers(0, 24 * 40), opens=st.booleans(), dry=st.booleans())
    def merge_a_duplicate(self, count: int, hours_ago: int, opens: bool, dry: bool) -> None:
        context, admin = self.provider.context, self.provider.admin
        duplicate = self.run(self.provider.client("Acme again"))
        done(self.run(create_contact(context, admin, sent(), CreateContact(duplicate, "Pat", "pat@client.example"))))
        for n in range(count):
            self.tickets += 1
            logged_at = self.provider.clock() - timedelta(hours=hours_ago * n, microseconds=1)
            self.run(report(self.provider, ticket(self.tickets, logged_at=logged_at), client=duplicate))
        if opens:
            done(self.run(open_cycle(context, admin, sent(), OpenCommand(duplicate, self.onboarding.lead.id))))
        kept, gone = (self.run(seen(self.provider, one)) for one in (self.onboarding.client, duplicate))
        self.foreseen(
            merge,
            admin,
            lambda dry: MergeClients(kept.id, gone.id, "entered twice", kept.version, gone.version, dry),
            rehearse=dry,
        )
        for story in self.run(told(self.database, self.provider, duplicate)) if opens else ():
            story.check()
            assert story.cycle.outcome is EndReason.DUPLICATE

    @invariant()
    def everything_holds(self) -> None:
        if not hasattr(self, "onboarding"):
            return
        stories = self.run(told(self.database, self.provider, self.onboarding.client))
        scopes = [(s.cycle.scope_kind, s.cycle.scope_key) for s in stories if not s.cycle.ended]
        assert len(scopes) == len(set(scopes))
        for story in stories:
            story.check()
            self._ended_stays(story)
        # Whatever was logged, at this client or at one that was merged into it, is this one's.
        history, stored = self.run(stamps(self.database, self.provider, self.onboarding.client))
        assert len(stored) == self.tickets
        for logged_at, *stamp in stored:
            stamped = history.stamp(logged_at)  # type: ignore[arg-type]
            assert stamp == [stamped.stage, stamped.phase, stamped.cycle]

    def _ended_stays(self, story: Story) -> None:
        """An ended cycle changes by nothing but an undo or a correction."""
        known = self.frozen.get(story.cycle.id)
        if known is not None and story.accepted[len(known[1]) :]:
            assert story.accepted[len(known[1])].move in (Move.UNDO, Move.CORRECT)
            del self.frozen[story.cycle.id]
        if story.cycle.ended:
            assert self.frozen.setdefault(story.cycle.id, (story.cycle, story.accepted)) == (
                story.cycle,
                story.accepted,
            )


def test_no_path_breaks_the_invariants(postgres: Postgres, database_url: str) -> None:
    tried: Counter[str] = Counter()
    machine = type("Machine", (OnboardingMachine,), {"postgres": postgres, "url": database_url, "tried": tried})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=30,
            stateful_step_count=40,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
    print(*sorted(tried.items()), sep="\n")
