"""Rate, errors and duration of Streamgauge's services."""

from __future__ import annotations

from deploy.grafana.panels import Panel, graph
from deploy.grafana.queries import CHOSEN, RATE, named, or_zero, quantile


def workers() -> list[Panel]:
    """What reads the log: monitor and learner."""
    stages = (
        f"sum by (le, stage) (rate(streamgauge_processing_duration_seconds_bucket{RATE}) {CHOSEN})"
    )
    return [
        graph(
            "Records taken",
            "Records that the monitor took from the log each second, by kind and by what became"
            " of them.",
            (
                f"sum by (kind, outcome) (rate(streamgauge_events_processed_total{RATE}))",
                "{{kind}} {{outcome}}",
            ),
            unit="recps",
            stacked=True,
        ),
        graph(
            "Records refused or lost",
            "Each second: dead letters by reason, and offsets that the log had dropped before they"
            " were read.",
            (f"sum by (reason) (rate(streamgauge_dead_letters_total{RATE}))", "{{reason}}"),
            (f"sum(rate(streamgauge_offsets_lost_total{RATE}))", "lost by the log"),
            (f"sum(rate(streamgauge_tick_errors_total{RATE}))", "raised as time passed"),
            unit="recps",
        ),
        graph(
            "Duration of steps, p95",
            "Time of one step: taking records, making them durable.",
            (f"histogram_quantile(0.95, {stages})", "{{stage}}"),
            unit="s",
        ),
        graph(
            "Event age",
            "Age of the newest record that was taken, by service and partition.",
            (
                f"max by (service, partition) ({named('streamgauge_event_age_seconds')})",
                "{{service}} {{partition}}",
            ),
            unit="s",
            span=12,
        ),
        graph(
            "Watermark delay",
            "Now less the time of the newest prediction taken, by partition.",
            ("max by (partition) (streamgauge_watermark_delay_seconds)", "{{partition}}"),
            unit="s",
            span=12,
        ),
    ]


def edges() -> list[Panel]:
    """What stands at the edges: ingest, notifier, exporter."""
    requests = "streamgauge_ingest_requests_total"
    return [
        graph(
            "Ingest: requests and events",
            "Requests by route and status, and events put on the log, each second.",
            (f"sum by (route, status) (rate({requests}{RATE}))", "{{route}} {{status}}"),
            (
                or_zero(f"sum by (kind, outcome) (rate(streamgauge_ingest_events_total{RATE}))"),
                "{{kind}} {{outcome}}",
            ),
            unit="reqps",
        ),
        graph(
            "Ingest: refused events",
            "Posted events that were refused each second, by reason.",
            (
                or_zero(f"sum by (reason) (rate(streamgauge_ingest_refused_events_total{RATE}))"),
                "{{reason}}",
            ),
            unit="eps",
        ),
        graph(
            "Ingest: duration, p95",
            "Time from a request's head to its answer, Kafka's acknowledgement included.",
            (
                quantile(0.95, "streamgauge_ingest_request_duration_seconds", by="route"),
                "{{route}}",
            ),
            unit="s",
        ),
        graph(
            "Notifier: alarms",
            "Alarms each second, by sink and by what became of them.",
            (
                f"sum by (sink, outcome) (rate(streamgauge_notifications_total{RATE}))",
                "{{sink}} {{outcome}}",
            ),
            unit="eps",
        ),
        graph(
            "Notifier: waiting",
            "Alarms that have not yet reached their sink.",
            ("sum by (sink) (streamgauge_notifications_waiting)", "{{sink}}"),
            unit="short",
        ),
        graph(
            "Exporter: age of the views",
            "Time since the exporter last read the views. Beyond 30 s it leaves models out.",
            ("max(streamgauge_views_age_seconds)", "age"),
            unit="s",
            limit=30,
        ),
    ]
