"""Keys of clients that tickets come with and that nobody has mapped to a client yet."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class UnmappedKey:
    """One system's key of some client, and the tickets that wait for it to be mapped; counted no further than is told.

    Of tickets without any key nothing is told here: no key will ever say whose they are.
    """

    system: str
    client_key: str
    tickets: int
    tickets_is_exact: bool
    first_logged_at: datetime
    last_logged_at: datetime
