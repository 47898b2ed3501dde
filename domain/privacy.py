"""Privacy: whose data is erased or handed out, why, and how long what nobody needs any more is kept."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from domain.ids import IdKind
from domain.redaction import ERASED
from domain.tenants import TenantSettings

__all__ = ["ERASED", "DataSubject", "ErasureReason", "PrivacyAct", "PrivacyRecord", "RetentionClass"]

ERASED_REASON = "ERASED"
"""Why a survey was called off: there is nobody left to ask."""

ALSO_KNOWN_MOST = 10
"""Further names under which a person is looked for."""


class DataSubject(StrEnum):
    """What kind of person or company the data is of."""

    CONTACT = "CONTACT"
    MEMBER = "MEMBER"
    CLIENT = "CLIENT"

    @property
    def id_kind(self) -> IdKind:
        return IdKind[self.name]


class PrivacyAct(StrEnum):
    """What was done with somebody's data."""

    ERASED = "ERASED"
    EXPORTED = "EXPORTED"


class ErasureReason(StrEnum):
    """Why data was erased; a code, so that the record of an erasure holds no words about the person."""

    REQUESTED = "REQUESTED"
    NO_LONGER_NEEDED = "NO_LONGER_NEEDED"
    ENTERED_IN_ERROR = "ENTERED_IN_ERROR"
    RETENTION = "RETENTION"


class RetentionClass(StrEnum):
    """Whose data goes after a while: whoever never became a client, and whoever was one."""

    LOST_PROSPECT = "LOST_PROSPECT"
    OFF_BOARDED = "OFF_BOARDED"

    def months(self, settings: TenantSettings) -> int | None:
        """Return for how many months the provider keeps it after the end; `None` is for ever."""
        lost = self is RetentionClass.LOST_PROSPECT
        return settings.retention_lost_months if lost else settings.retention_off_boarded_months


@dataclass(frozen=True, slots=True)
class PrivacyRecord:
    """That data of somebody was erased or handed out, when and by whom; ids and codes, and nothing of the person.

    `texts` counts the places in which others had named them.
    """

    id: UUID
    act: PrivacyAct
    subject_kind: DataSubject
    subject_id: UUID
    reason: ErasureReason | None
    texts: int
    recorded_at: datetime
    actor_kind: str
    actor_id: UUID
    channel: str
    request_id: str
    event_id: UUID | None


@dataclass(frozen=True, slots=True)
class RetentionDue:
    """A client whose onboardings have all ended, and the local day on which its data is to go.

    `contacts` counts its people who are not erased yet.
    """

    client_id: UUID
    retention: RetentionClass
    ended_at: datetime
    due_on: date
    contacts: int
