"""Which figures of the running service are counted where they happen?

What stands still is asked when it is read. Prometheus reads both at `/metrics` (`api/metrics.py`), and
`docs/operations/alerts.md` says what each is good for.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics

# A second series for each of them that says when the process began: nobody asks for it.
disable_created_metrics()  # type: ignore[no-untyped-call] # it takes nothing and returns nothing

REGISTRY = CollectorRegistry()
_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_ENTRIES = (1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000)

STEPS = ("decide", "record", "sign", "publish", "project")
STEP_SECONDS = Histogram(
    "audit_step_seconds",
    "How long each step of the way of an event takes: decide for a request, record and sign for a group of requests, "
    "publish for a checkpoint, project for a page of entries.",
    ["step"],
    buckets=_SECONDS,
    registry=REGISTRY,
)
GROUP_ENTRIES = Histogram(
    "audit_group_entries",
    "Entries that one commit records.",
    buckets=_ENTRIES,
    registry=REGISTRY,
)
RECORDING_FAILURES = Counter(
    "audit_recording_failures",
    "Commits that failed, or whose answer was lost.",
    registry=REGISTRY,
)
HTTP_SECONDS = Histogram(
    "audit_http_request_seconds",
    "How long requests take, by route and status class.",
    ["method", "route", "status"],
    buckets=_SECONDS,
    registry=REGISTRY,
)
# A step that has not happened yet is shown as zero times, not as missing.
DECIDE, RECORD, SIGN, PUBLISH, PROJECT = (STEP_SECONDS.labels(step) for step in STEPS)
