"""The clock of the story: it stands still until the story goes on, and never goes back."""

from datetime import datetime, timedelta


class StoryClock:
    """Call it for the present instant of the story."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def __call__(self) -> datetime:
        return self._now

    def reach(self, instant: datetime) -> None:
        """Go on to an instant; stay where an earlier act has taken longer."""
        self._now = max(self._now, instant)

    def pass_by(self, length: timedelta) -> None:
        self._now += length
