"""What is to be summed for one or several figures."""

from dataclasses import dataclass
from datetime import datetime

from domain.kpis import Dimension, Where
from domain.periods import Bucket
from domain.timelines import Moment


@dataclass(frozen=True, slots=True)
class Asked:
    """Buckets in order without gaps, split by dimensions, narrowed, as of a moment.

    `as_of` is set where the figures are wanted as they were at an earlier instant.
    """

    buckets: tuple[Bucket, ...]
    by: tuple[Dimension, ...]
    where: Where
    moment: Moment
    as_of: datetime | None = None
