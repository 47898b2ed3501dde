"""A clock that stands still until a test moves it."""

from datetime import UTC, datetime, timedelta


class Clock:
    """Call it for the present instant; `forward` moves it on."""

    def __init__(self, now: datetime = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **length: float) -> datetime:
        self.now += timedelta(**length)
        return self.now


class WallClock(Clock):
    """The time of day, for tests whose server is a process of its own."""

    def __call__(self) -> datetime:
        return datetime.now(UTC)
