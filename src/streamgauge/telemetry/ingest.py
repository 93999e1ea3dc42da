"""Metrics of the ingest service: what was posted, what became of it, what is under way."""

from __future__ import annotations

from collections.abc import Mapping

from streamgauge.telemetry.definition import Definition
from streamgauge.telemetry.processes import REDIS_ERRORS, REDIS_FAILURES, SECONDS
from streamgauge_client.topics import SOURCES

EVENTS = Definition(
    "ingest_events",
    "counter",
    "Events put on the log (accepted) or not acknowledged by Kafka in time (failed).",
    ("kind", "outcome"),
    exposer="ingest",
)
REFUSALS = Definition(
    "ingest_refused_events",
    "counter",
    "Posted events that were refused, by reason (decode, schema, future, too_large).",
    ("reason",),
    exposer="ingest",
)
REQUESTS = Definition(
    "ingest_requests",
    "counter",
    "Requests answered, by route and status.",
    ("route", "status"),
    exposer="ingest",
)
REQUEST_DURATION = Definition(
    "ingest_request_duration_seconds",
    "histogram",
    "Time from a request's head to its answer, Kafka's acknowledgement included.",
    ("route",),
    unit="seconds",
    exposer="ingest",
    buckets=SECONDS,
)
INFLIGHT_EVENTS = Definition(
    "ingest_inflight_events", "gauge", "Events of requests under way.", exposer="ingest"
)
INFLIGHT_BYTES = Definition(
    "ingest_inflight_bytes",
    "gauge",
    "Bytes of requests under way.",
    unit="bytes",
    exposer="ingest",
)
CONNECTIONS = Definition("ingest_connections", "gauge", "Open connections.", exposer="ingest")
TURNED_AWAY = Definition(
    "ingest_turned_away_connections",
    "gauge",
    "Connections closed at once since the start, because too many were open.",
    exposer="ingest",
)
HALVES = Definition(
    "ingest_call_halves",
    "counter",
    "What became of requests and responses that a model server logged (joined, lone_request,"
    " lone_response, evicted_request, evicted_response, repeated, lost).",
    ("outcome",),
    exposer="ingest",
)
HALVES_HELD = Definition(
    "ingest_held_call_halves",
    "gauge",
    "Halves of calls that wait for the other one.",
    exposer="ingest",
)
PRIVACY_UNFIT = Definition(
    "ingest_privacy_unfit_values",
    "counter",
    "Values left out because their field's privacy policy does not go with them.",
    exposer="ingest",
)
KAFKA_UP = Definition(
    "ingest_kafka_up", "gauge", "1 while Kafka answers this process, else 0.", exposer="ingest"
)

_KINDS = [kind for topic in SOURCES for kind in (topic.event, *topic.others) if kind]
_HALVES = (
    "joined",
    "lone_request",
    "lone_response",
    "evicted_request",
    "evicted_response",
    "repeated",
    "lost",
)
#: Counters that are shown as 0 at the start: a rate needs the 0 before the first one.
FROM_THE_START: tuple[tuple[Definition, Mapping[str, str]], ...] = (
    *((EVENTS, {"kind": k, "outcome": o}) for k in _KINDS for o in ("accepted", "failed")),
    *((REFUSALS, {"reason": each}) for each in ("decode", "schema", "future", "too_large")),
    *((HALVES, {"outcome": each}) for each in _HALVES),
    (PRIVACY_UNFIT, {}),
    *((REDIS_ERRORS, {"error": each}) for each in REDIS_FAILURES),
)

INGEST = (
    EVENTS,
    REFUSALS,
    REQUESTS,
    REQUEST_DURATION,
    INFLIGHT_EVENTS,
    INFLIGHT_BYTES,
    CONNECTIONS,
    TURNED_AWAY,
    HALVES,
    HALVES_HELD,
    PRIVACY_UNFIT,
    KAFKA_UP,
)
