"""Members: the provider's own people."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.access import Role


@dataclass(frozen=True, slots=True)
class Member:
    """A person of the provider; while they are away their deputy stands in."""

    id: UUID
    name: str
    email: str
    roles: tuple[Role, ...]
    active: bool
    deputy_id: UUID | None
    created_at: datetime
    version: int
    erased_at: datetime | None = None

    @property
    def erased(self) -> bool:
        """Whether nothing is left of the person but what they did."""
        return self.erased_at is not None

    @property
    def is_admin(self) -> bool:
        """Whether this person can sign in and change who may do what."""
        return self.active and Role.ADMIN in self.roles
