"""``metrics.md``: every exposed number, from the catalogue that processes expose."""

from __future__ import annotations

import inspect
from types import ModuleType

from streamgauge import telemetry
from streamgauge.manual.markdown import page, table
from streamgauge.telemetry import Definition

_INTRODUCTION = """\
Each process has a `/metrics` of its own, and each number one exposer, so that a sum over all
scrapes counts nothing twice. Times are in seconds, sizes in bytes, `_ratio` is from 0 to 1. A
metric of type *states* is a gauge with one more label, `state`: one of them is 1, the others 0. A
histogram comes as `_bucket`, `_sum` and `_count`.

| process | where, by default | |
|---|---|---|
| exporter | `http://127.0.0.1:9808/metrics` | models and pipeline, from Redis: durable |
| monitor | `http://127.0.0.1:9809/metrics` | its own; a worker |
| ingest | `http://127.0.0.1:9810/metrics` | its own |
| notifier | `http://127.0.0.1:9811/metrics` | its own |
| learner | `http://127.0.0.1:9812/metrics` | its own; a worker |

A publisher's own numbers are in its service: `publisher.register_metrics()` shows them as
`streamgauge_client_events_total{kind,outcome}` (see [publish.md](publish.md)).

Labels have no ids of events, no users, no values of features. `step`, `version` and `segment` are
bounded by the monitor, series by `exporter.max_series` in [settings.md](settings.md): beyond it
counters fall into `_other`, gauges are left out, and `streamgauge_series_dropped_total` counts
both. Of a feature's judgements the firing ones and the worst are shown; all are in
`streamgauge explain`.

Whoever asks for OpenMetrics, as Prometheus does, gets exemplars with a `trace_id`, from the W3C
`traceparent` that came along: of `streamgauge_dead_letters_total` the newest dead letter of each
reason, of `streamgauge_ingest_request_duration_seconds` a request of each bucket. Prometheus keeps
them with `--enable-feature=exemplar-storage`."""

#: In the order of the page: the module that declares them, and what they are.
_GROUPS: tuple[tuple[ModuleType, tuple[Definition, ...]], ...] = (
    (telemetry.models, telemetry.MODELS),
    (telemetry.truth, telemetry.TRUTH),
    (telemetry.usage, telemetry.USAGE),
    (telemetry.clients, telemetry.CLIENTS),
    (telemetry.learning, telemetry.LEARNING),
    (telemetry.pipeline, telemetry.PIPELINE),
    (telemetry.processes, telemetry.PROCESSES),
    (telemetry.ingest, telemetry.INGEST),
    (telemetry.notifications, telemetry.NOTIFIER),
    (telemetry.registry, telemetry.REGISTRY),
)
_TITLES = {
    "models": "Models",
    "truth": "Truth",
    "usage": "Use",
    "clients": "Clients",
    "learning": "Learning",
    "pipeline": "Pipeline",
    "processes": "Processes",
    "ingest": "Ingest",
    "notifications": "Notifier",
    "registry": "Registry",
}


def metrics_page() -> str:
    """The page. Raises ``ValueError`` where the catalogue has what no group of the page has."""
    shown = {each.name for _, group in _GROUPS for each in group}
    if missed := sorted(each.name for each in telemetry.CATALOGUE if each.name not in shown):
        raise ValueError(f"no group of metrics.md has {', '.join(missed)}; add its module there")
    parts = [_INTRODUCTION]
    for module, group in _GROUPS:
        name = module.__name__.rpartition(".")[2]
        said = inspect.cleandoc(module.__doc__ or "").split("\n\n")[0].removeprefix("Metrics ")
        parts += [f"## {_TITLES[name]}", said[:1].upper() + said[1:], _table(group)]
    return page("Metrics", *parts)


def _table(group: tuple[Definition, ...]) -> str:
    rows = [
        (f"`{each.full_name}`", each.kind, each.unit, _labels(each), _exposer(each), each.help)
        for each in group
    ]
    return table(("name", "type", "unit", "labels", "process", "meaning"), rows)


def _labels(definition: Definition) -> str:
    more = ("state",) if definition.kind == "states" else ()
    return ", ".join(f"`{label}`" for label in (*definition.labels, *more))


def _exposer(definition: Definition) -> str:
    if definition in telemetry.NOTIFIER:
        return "notifier"
    if definition in telemetry.REGISTRY:
        return "learner, and who serves"
    return {
        "exporter": "exporter",
        "worker": "monitor, learner",
        "ingest": "ingest",
        "any": "each",
    }[definition.exposer]
