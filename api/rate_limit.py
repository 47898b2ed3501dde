"""The caller's own allowance, as a field: what is left of it and how fast it comes back."""

import strawberry

from api.context import Info
from api.fields import query_field, window
from api.rates import Rate


@window(Rate, description="How much a credential may ask for. Points flow back steadily, like out of a leaking bucket.")
class RateLimit:
    limit: int = strawberry.field(description="The points of a full allowance.")
    remaining: int = strawberry.field(description="The points left after this operation.")
    restored_per_second: int = strawberry.field(description="The points that come back each second.")
    cost: int = strawberry.field(description="The points that this operation took.")
    seconds_to_full: int = strawberry.field(description="Seconds until the allowance is full again.")


@strawberry.type
class RateLimitQuery:
    @query_field(description="What is left of your credential's allowance; the same figures come as headers.", cost=0)
    def rate_limit(self, info: Info) -> RateLimit:
        return info.context.rate  # type: ignore[return-value]
