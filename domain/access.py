"""Access: who is calling, what each role may do, and how far that reaches."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from uuid import UUID

from domain.errors import ForbiddenError


class Scope(StrEnum):
    """One right; a role is a set of scopes, a service token lists its own."""

    CLIENTS_READ = "CLIENTS_READ"
    CLIENTS_WRITE = "CLIENTS_WRITE"
    CONTACTS_READ = "CONTACTS_READ"
    NOTES_WRITE = "NOTES_WRITE"
    AUDIT_READ = "AUDIT_READ"
    ONBOARDING_MOVE = "ONBOARDING_MOVE"
    ONBOARDING_HOLD = "ONBOARDING_HOLD"
    CHECKLIST_WRITE = "CHECKLIST_WRITE"
    ONBOARDING_END = "ONBOARDING_END"
    WAIVE_SOFT = "WAIVE_SOFT"
    WAIVE_HARD = "WAIVE_HARD"
    TICKETS_READ = "TICKETS_READ"
    TICKETS_WRITE = "TICKETS_WRITE"
    KPIS_READ = "KPIS_READ"
    POLICIES_READ = "POLICIES_READ"
    POLICIES_WRITE = "POLICIES_WRITE"
    MEMBERS_READ = "MEMBERS_READ"
    MEMBERS_WRITE = "MEMBERS_WRITE"
    TENANT_WRITE = "TENANT_WRITE"
    PRIVACY_WRITE = "PRIVACY_WRITE"
    INBOUND_WRITE = "INBOUND_WRITE"
    EVENTS_READ = "EVENTS_READ"
    SELF_WRITE = "SELF_WRITE"


class Role(StrEnum):
    """What a member is to the provider."""

    VIEWER = "VIEWER"
    AGENT = "AGENT"
    ONBOARDING_LEAD = "ONBOARDING_LEAD"
    ACCOUNT_MANAGER = "ACCOUNT_MANAGER"
    TEAM_MANAGER = "TEAM_MANAGER"
    SERVICE_MANAGER = "SERVICE_MANAGER"
    ADMIN = "ADMIN"


class Reach(StrEnum):
    """How far a scope goes: every client, or only those whose team the person is on."""

    ALL = "ALL"
    OWN = "OWN"


class PrincipalKind(StrEnum):
    """What kind of caller holds the credential."""

    PERSON = "PERSON"
    SERVICE = "SERVICE"
    PARTNER = "PARTNER"
    SYSTEM = "SYSTEM"


_READS = (
    Scope.CLIENTS_READ,
    Scope.CONTACTS_READ,
    Scope.AUDIT_READ,
    Scope.TICKETS_READ,
    Scope.KPIS_READ,
    Scope.POLICIES_READ,
    Scope.MEMBERS_READ,
    Scope.EVENTS_READ,
)


def _grant(all_clients: Iterable[Scope], own: Iterable[Scope] = ()) -> Mapping[Scope, Reach]:
    granted = dict.fromkeys(own, Reach.OWN) | dict.fromkeys((*all_clients, Scope.SELF_WRITE), Reach.ALL)
    return MappingProxyType(granted)


_SERVICE_MANAGER = (
    *_READS,
    Scope.CLIENTS_WRITE,
    Scope.NOTES_WRITE,
    Scope.ONBOARDING_MOVE,
    Scope.ONBOARDING_HOLD,
    Scope.CHECKLIST_WRITE,
    Scope.ONBOARDING_END,
    Scope.WAIVE_SOFT,
    Scope.WAIVE_HARD,
    Scope.TICKETS_WRITE,
    Scope.POLICIES_WRITE,
    Scope.PRIVACY_WRITE,
    Scope.INBOUND_WRITE,
)

ROLE_GRANTS: Mapping[Role, Mapping[Scope, Reach]] = MappingProxyType(
    {
        Role.VIEWER: _grant(_READS),
        Role.AGENT: _grant(
            (Scope.POLICIES_READ,),
            (
                *(s for s in _READS if s is not Scope.POLICIES_READ),
                Scope.NOTES_WRITE,
                Scope.CHECKLIST_WRITE,
                Scope.TICKETS_WRITE,
            ),
        ),
        Role.ONBOARDING_LEAD: _grant(
            _READS,
            (
                Scope.CLIENTS_WRITE,
                Scope.NOTES_WRITE,
                Scope.ONBOARDING_MOVE,
                Scope.ONBOARDING_HOLD,
                Scope.CHECKLIST_WRITE,
                Scope.WAIVE_SOFT,
            ),
        ),
        Role.ACCOUNT_MANAGER: _grant(
            _READS, (Scope.CLIENTS_WRITE, Scope.NOTES_WRITE, Scope.ONBOARDING_HOLD, Scope.CHECKLIST_WRITE)
        ),
        Role.TEAM_MANAGER: _grant(_READS, (Scope.TICKETS_WRITE,)),
        Role.SERVICE_MANAGER: _grant(_SERVICE_MANAGER),
        Role.ADMIN: _grant((*_SERVICE_MANAGER, Scope.MEMBERS_WRITE, Scope.TENANT_WRITE)),
    }
)
"""The table of access.md: role by role, each scope with its reach."""

PERSONS_ONLY = frozenset(
    {
        Scope.WAIVE_SOFT,
        Scope.WAIVE_HARD,
        Scope.MEMBERS_READ,
        Scope.MEMBERS_WRITE,
        Scope.TENANT_WRITE,
        Scope.PRIVACY_WRITE,
        Scope.INBOUND_WRITE,
        Scope.SELF_WRITE,
    }
)
"""Scopes that no service or partner token may hold: a waiver takes a person, as does what cannot be
taken back, and staff stay private."""

PROVIDERS_ONLY = PERSONS_ONLY | {Scope.AUDIT_READ, Scope.NOTES_WRITE}
"""Scopes that no partner token may hold: what the provider's people say among themselves stays with them."""

LEADERS_OF_STAFF = frozenset({Role.TEAM_MANAGER, Role.SERVICE_MANAGER, Role.ADMIN})
"""Who is told figures of the provider's people; everybody else is told those of themselves at most."""


def scopes_of(roles: Iterable[Role]) -> Mapping[Scope, Reach]:
    """Return the union of the roles' scopes; the wider reach of a scope wins."""
    union: dict[Scope, Reach] = {}
    for role in roles:
        for scope, reach in ROLE_GRANTS[role].items():
            if union.get(scope) is not Reach.ALL:
                union[scope] = reach
    return MappingProxyType(union)


@dataclass(frozen=True, slots=True)
class Principal:
    """Whoever holds the credential of this request; the tenant comes from it alone.

    `clients` limits what is visible: `None` means every client of the tenant. `issued_by` is the
    member who last saw the credential's secret being made, `None` for the command line: whoever
    made it for somebody else may still hold it, so it is no second person to them. `absent` are the
    members who are away today and for whom this person stands in.
    """

    kind: PrincipalKind
    id: UUID
    tenant_id: UUID
    name: str
    scopes: Mapping[Scope, Reach]
    roles: tuple[Role, ...] = ()
    clients: frozenset[UUID] | None = None
    token_id: UUID | None = None
    expires_at: datetime | None = None
    issued_by: UUID | None = None
    absent: frozenset[UUID] = frozenset()

    @property
    def member_id(self) -> UUID | None:
        """The member behind the credential, or `None` for a program."""
        return self.id if self.kind is PrincipalKind.PERSON else None

    def has(self, scope: Scope) -> bool:
        """Tell whether the scope is granted at all, to whatever reach."""
        return scope in self.scopes

    def require(self, scope: Scope, *others: Scope) -> None:
        """Let the caller pass if the scope is granted, or one of the others.

        Raises:
            ForbiddenError: it is not.
        """
        if self.scopes.keys().isdisjoint((scope, *others)):
            named = " or ".join(one.value for one in (scope, *others))
            msg = f"This takes the scope {named}, which your {self.kind.value.lower()} credential does not have."
            raise ForbiddenError(msg)

    @property
    def told_of_staff(self) -> bool:
        """Whether figures of the provider's people are for this caller."""
        leads = self.kind is PrincipalKind.SYSTEM or not LEADERS_OF_STAFF.isdisjoint(self.roles)
        return leads and self.has(Scope.MEMBERS_READ)

    def require_told_of_staff(self) -> None:
        """Let the caller pass if figures of the provider's people are for them.

        Raises:
            ForbiddenError: they are not.
        """
        self.require(Scope.MEMBERS_READ)
        if not self.told_of_staff:
            msg = (
                "Figures of the provider's people are told to team managers, service managers and admins alone; "
                "ask of all people together."
            )
            raise ForbiddenError(msg)

    def reaches(self, scope: Scope, team: Iterable[UUID | None]) -> bool:
        """Tell whether the scope holds for something whose team is given.

        A person's scope of reach OWN holds where the person is on the team, or stands in for
        somebody who is; a program's scope holds for every client its token lists, which row-level
        security checks.
        """
        reach = self.scopes.get(scope)
        return reach is Reach.ALL or (reach is Reach.OWN and not {self.id, *self.absent}.isdisjoint(team))

    def acts_for(self, team: Iterable[UUID | None]) -> UUID | None:
        """Return for whom of a team this person stands in, or `None` where they are on it themselves or for nobody."""
        members = tuple(team)
        if self.id in members:
            return None
        return next((member for member in members if member in self.absent), None)


def system(tenant_id: UUID) -> Principal:
    """Return the product itself, acting for one provider: its command line, its timers, its upkeep."""
    every = MappingProxyType(dict.fromkeys(Scope, Reach.ALL))
    return Principal(PrincipalKind.SYSTEM, UUID(int=0), tenant_id, "Steadystate", every)
