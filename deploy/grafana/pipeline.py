"""Ourselves: whether events come through in time, and what Kafka and Redis have to do with it."""

from __future__ import annotations

from grafana_foundation_sdk.models.dashboard import Dashboard

from deploy.grafana import links, variables
from deploy.grafana.page import page
from deploy.grafana.panels import Panel, graph, number
from deploy.grafana.queries import RATE, named, or_zero, quantile

AGE = "streamgauge_event_age_seconds"
DEAD = "streamgauge_dead_letters_total"
LAG = "streamgauge_consumer_lag_records"
CHOSEN = 'and on (job, instance) streamgauge_build_info{service=~"$service"}'


def dashboard() -> Dashboard:
    """Pipeline health."""
    return page(
        links.PIPELINE,
        "Pipeline health",
        "Streamgauge itself: rate, errors and duration of each service; Kafka and Redis.",
        variables=[
            variables.several(
                "service",
                "Services of Streamgauge.",
                metric="streamgauge_build_info",
                label="service",
            )
        ],
        rows=[
            ("Is it all right?", _well()),
            ("Rate, errors, duration: monitor and learner", _workers()),
            ("Rate, errors, duration: ingest, notifier, exporter", _edges()),
            ("Kafka", _kafka()),
            ("Redis and what is durable", _redis()),
            ("Saturation", _saturation()),
        ],
    )


def _well() -> list[Panel]:
    return [
        number(
            "Services",
            "Processes that report themselves.",
            "sum(streamgauge_process_up)",
            unit="short",
        ),
        number(
            "Event age",
            "Age of the newest record that was taken, of the partition that is furthest behind:"
            " the end-to-end promise.",
            f"max({AGE})",
            unit="s",
            turns={10: "orange", 60: "red"},
        ),
        number(
            "Lag",
            "Records in the log that were not yet taken, over all services.",
            f"sum({LAG})",
            unit="short",
        ),
        number(
            "Dead letters",
            "Records that could not be taken, in the last hour.",
            or_zero(f"sum(increase({DEAD}[1h]))"),
            unit="short",
            turns={1: "orange"},
        ),
        number(
            "Records astray",
            "Positions advanced less everything counted, of the worst partition. Anything but 0"
            " is a record gone astray.",
            "max(abs(streamgauge_conservation_difference))",
            unit="short",
            turns={1: "red"},
        ),
        number(
            "Redis and Kafka",
            "1 while Redis answers the exporter and Kafka answers the ingest service, else 0.",
            "min(streamgauge_redis_up) * (min(streamgauge_ingest_kafka_up) or vector(1))",
            unit="short",
            turns={1: "green"},
            below="red",
        ),
    ]


def _workers() -> list[Panel]:
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
            (f"sum by (reason) (rate({DEAD}{RATE}))", "{{reason}}"),
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
            (f"max by (service, partition) ({named(AGE)})", "{{service}} {{partition}}"),
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


def _edges() -> list[Panel]:
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


def _kafka() -> list[Panel]:
    return [
        graph(
            "Lag by topic",
            "Records that were not yet taken, by service and topic.",
            (f"sum by (service, topic) ({named(LAG)})", "{{service}} {{topic}}"),
            unit="short",
        ),
        graph(
            "Lag in time",
            "Age of the next record to take, of the partition that is furthest behind.",
            (
                f"max by (service) ({named('streamgauge_consumer_lag_seconds')})",
                "{{service}}",
            ),
            unit="s",
        ),
        graph(
            "Errors and rebalances",
            "Each second: batches that Kafka did not take and that are tried again, and times"
            " that partitions were assigned.",
            (f"sum(rate(streamgauge_producer_errors_total{RATE}))", "batches not taken"),
            (f"sum(rate(streamgauge_rebalances_total{RATE}))", "rebalances"),
            unit="cps",
        ),
        graph(
            "Alarms not yet on their topic",
            "Entries of the outbox by service; and alarms dropped because it was full, in all.",
            (
                f"sum by (service) ({named('streamgauge_outbox_entries')})",
                "{{service}}",
            ),
            ("sum(streamgauge_outbox_dropped_total)", "dropped"),
            unit="short",
            span=12,
        ),
        graph(
            "Partitions held",
            "Partition numbers that each service owns; together they should be all.",
            (
                f"sum by (service) ({named('streamgauge_assigned_partitions')})",
                "{{service}}",
            ),
            unit="short",
            span=12,
        ),
    ]


def _redis() -> list[Panel]:
    checkpoints = f"rate(streamgauge_checkpoints_total{RATE})"
    snapshots = f"rate(streamgauge_snapshots_total{RATE})"
    return [
        graph(
            "Checkpoints",
            "Checkpoints tried each second, by service and result.",
            (
                f"sum by (service, result) ({named(checkpoints)})",
                "{{service}} {{result}}",
            ),
            unit="ops",
        ),
        graph(
            "Duration of a checkpoint, p95",
            "Time of one compare-and-set in Redis.",
            (
                "histogram_quantile(0.95, sum by (le)"
                f" (rate(streamgauge_checkpoint_duration_seconds_bucket{RATE}) {CHOSEN}))",
                "p95",
            ),
            unit="s",
        ),
        graph(
            "Bytes of a checkpoint, p95",
            "Bytes of one compare-and-set: beyond 64 MiB Redis stands still for it.",
            (
                "histogram_quantile(0.95, sum by (le)"
                f" (rate(streamgauge_checkpoint_bytes_bucket{RATE}) {CHOSEN}))",
                "p95",
            ),
            unit="bytes",
        ),
        graph(
            "Not yet durable",
            "Age of the oldest change that is in no checkpoint, by service.",
            (
                f"max by (service) ({named('streamgauge_checkpoint_age_seconds')})",
                "{{service}}",
            ),
            unit="s",
        ),
        graph(
            "In no snapshot",
            "Age of the oldest change that is in no snapshot: what a loss of Redis would have read"
            " again.",
            (
                f"max by (service) ({named('streamgauge_snapshot_age_seconds')})",
                "{{service}}",
            ),
            unit="s",
        ),
        graph(
            "Failures",
            "Each second: failed calls to Redis by class, snapshots by result; and partitions"
            " that began anew because their state was gone, in all.",
            (
                or_zero(f"sum by (error) (rate(streamgauge_redis_errors_total{RATE}))"),
                "{{error}}",
            ),
            (f"sum by (result) ({snapshots})", "snapshot {{result}}"),
            ("sum(streamgauge_state_lost_total)", "state lost"),
            unit="cps",
        ),
    ]


def _saturation() -> list[Panel]:
    return [
        graph(
            "Event loop",
            "How late the event loop of a service last woke, and the longest time for which one"
            " step held it.",
            (
                f"max by (service) ({named('streamgauge_event_loop_lag_seconds')})",
                "{{service}} late",
            ),
            (
                f"max by (service) ({named('streamgauge_longest_step_seconds')})",
                "{{service}} longest step",
            ),
            unit="s",
        ),
        graph(
            "Ingest under way",
            "Bytes of requests under way.",
            ("sum(streamgauge_ingest_inflight_bytes)", "bytes"),
            unit="bytes",
        ),
        graph(
            "Series",
            "Series in the exposition, and series that were left out or added to _other, each"
            " second.",
            ("sum(streamgauge_series)", "shown"),
            (f"sum by (reason) (rate(streamgauge_series_dropped_total{RATE}))", "{{reason}}"),
            unit="short",
        ),
    ]
