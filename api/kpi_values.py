"""The value of a figure as the API shows it."""

import strawberry

from api.fields import window
from domain import kpi_values
from domain.kpi_values import Status


@window(kpi_values.KpiValue, description="One number, with everything needed to judge it.")
class KpiValue:
    value: float | None = strawberry.field(description="The number, in the definition's unit; `null` without data.")
    numerator: float | None = strawberry.field(description="What was counted; of a duration, the stays that ended.")
    denominator: float | None = strawberry.field(description="Out of how many; `null` for a count.")
    sample_size: int = strawberry.field(description="How many rows it rests on.")
    low: float | None = strawberry.field(description="Lower end of the 95 % interval; `null` where there is none.")
    high: float | None = strawberry.field(description="Upper end of the 95 % interval; `null` where it is open.")
    status: Status = strawberry.field(description="How far it may be trusted.")
    mean: float | None = strawberry.field(description="Of times that are over: their mean.")
    median: float | None = strawberry.field(description="Of a duration, or of times that are over: their median.")
    p90: float | None = strawberry.field(description="Of a duration, or of times that are over: the 90th percentile.")
    share: float | None = strawberry.field(
        description="Of a duration that is a part of a longer one: its share of that, all rows together."
    )
    peak: float | None = strawberry.field(
        description="Of a level kept per lead: the highest number that one lead had at the end of a day."
    )
