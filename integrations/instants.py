"""Reading moments as other programs write them: with an offset, or as wall time of a stated zone."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

ISO = "ISO"
EPOCH_SECONDS = "EPOCH_SECONDS"
EPOCH_MILLISECONDS = "EPOCH_MILLISECONDS"

_FORMS = {
    ISO: "such as 2026-03-01T12:00:00+01:00",
    EPOCH_SECONDS: "in seconds since 1970, such as 1772362800",
    EPOCH_MILLISECONDS: "in milliseconds since 1970, such as 1772362800000",
}

REMEMBERED_TEXTS = 4_096
"""Logs repeat their moments; reading a text once is most of the speed."""


class InstantReader:
    """Turns texts of one format into UTC instants.

    `layout` is ISO, EPOCH_SECONDS, EPOCH_MILLISECONDS or a strptime pattern. A text without an offset is
    wall time of `zone`: where the clock was set back, the earlier of the two moments is meant; an hour that
    was skipped is read with the offset from before the jump.
    """

    def __init__(self, layout: str, zone: ZoneInfo) -> None:
        self.layout = layout
        self.zone = zone
        self._remembered: dict[str, datetime] = {}

    def read(self, text: str) -> datetime:
        """Return the instant.

        Raises ValueError when the text isn't of the layout or lies outside the years 1970 to 2200.
        """
        known = self._remembered.get(text)
        if known is not None:
            return known
        try:
            moment = self._parsed(text)
            instant = (moment if moment.tzinfo else moment.replace(tzinfo=self.zone)).astimezone(UTC)
        except (ValueError, OverflowError, OSError) as error:
            raise ValueError(
                f"The value is no moment {_FORMS.get(self.layout, f'of the form {self.layout!r}')}."
            ) from error
        if not 1970 <= instant.year <= 2200:  # noqa: PLR2004 -- the bounds are stated in the message
            raise ValueError("The moment lies outside the years 1970 to 2200.")
        if len(self._remembered) >= REMEMBERED_TEXTS:
            self._remembered.clear()
        self._remembered[text] = instant
        return instant

    def _parsed(self, text: str) -> datetime:
        if self.layout == ISO:
            return datetime.fromisoformat(text)
        if self.layout == EPOCH_SECONDS:
            return datetime.fromtimestamp(float(text), UTC)
        if self.layout == EPOCH_MILLISECONDS:
            return datetime.fromtimestamp(float(text) / 1_000, UTC)
        return datetime.strptime(text, self.layout)  # noqa: DTZ007 -- `read` adds the zone where the text has none
