"""What Streamgauge's services stand on, Kafka and Redis, and what is in short supply."""

from __future__ import annotations

from deploy.grafana.panels import Panel, graph
from deploy.grafana.queries import CHOSEN, RATE, named, or_zero


def kafka() -> list[Panel]:
    """The log: what was not yet taken from it, what it did not take."""
    return [
        graph(
            "Lag by topic",
            "Records that were not yet taken, by service and topic.",
            (
                f"sum by (service, topic) ({named('streamgauge_consumer_lag_records')})",
                "{{service}} {{topic}}",
            ),
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
        ),
        graph(
            "Partitions held",
            "Partition numbers that each service owns; together they should be all.",
            (
                f"sum by (service) ({named('streamgauge_assigned_partitions')})",
                "{{service}}",
            ),
            unit="short",
        ),
        graph(
            "Commit ahead of the checkpoint",
            "Kafka's commit minus the checkpoint, of the partition where it is most: above 0, Redis"
            " has gone back.",
            (
                f"max by (service) ({named('streamgauge_commit_ahead_records')})",
                "{{service}}",
            ),
            unit="short",
            limit=1,
        ),
    ]


def redis() -> list[Panel]:
    """The store: checkpoints, and what is in none."""
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


def saturation() -> list[Panel]:
    """Time, memory and series."""
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
