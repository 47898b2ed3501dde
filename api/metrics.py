"""Metrics: what Prometheus may count of this process."""

from prometheus_client import Counter, Gauge, Histogram

_SECONDS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

REQUESTS = Counter("steadystate_http_requests_total", "HTTP requests answered.", ["path", "status"])
REQUEST_SECONDS = Histogram("steadystate_http_request_seconds", "Time to answer.", ["path"], buckets=_SECONDS)
OPERATIONS = Counter("steadystate_graphql_operations_total", "GraphQL operations run.", ["kind", "outcome"])
OPERATION_COST = Histogram(
    "steadystate_graphql_cost_points", "Cost of operations.", buckets=(1, 5, 10, 50, 100, 500, 1_000, 5_000)
)
THROTTLED = Counter("steadystate_throttled_total", "Operations refused because an allowance was used up.")
SOCKETS = Gauge("steadystate_sockets", "Open WebSockets.")
SUBSCRIPTIONS = Gauge("steadystate_subscriptions", "Open subscriptions, on sockets and streams.")
PUSHED = Counter("steadystate_events_pushed_total", "Answers pushed to subscribers.")
CLOSED = Counter("steadystate_sockets_closed_total", "WebSockets that the server closed.", ["code"])
