"""The map of topics: what flows where, keyed by what, and who writes and reads it."""

from __future__ import annotations

from dataclasses import dataclass

DEFAULT_PREFIX = "streamgauge"


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic of the contract. ``name`` comes without the prefix.

    ``event`` is what bare JSON on it means; ``others`` lie on it too, told apart by ``ce_type``.
    """

    name: str
    event: str | None
    key: str
    producers: tuple[str, ...]
    consumers: tuple[str, ...]
    retention_days: int | None
    compacted: bool = False
    others: tuple[str, ...] = ()
    max_message_bytes: int = 1024 * 1024

    def under(self, prefix: str = DEFAULT_PREFIX) -> str:
        """The topic's full name."""
        return f"{prefix}.{self.name}"


PREDICTIONS = Topic(
    "predictions",
    "prediction",
    "model",
    ("client", "ingest"),
    ("monitor", "learner"),
    retention_days=3,
    others=("prediction_batch", "telemetry"),
)
LABELS = Topic(
    "labels", "label", "model", ("client", "ingest"), ("monitor", "learner"), retention_days=14
)
FEEDBACK = Topic(
    "feedback", "feedback", "model", ("client", "ingest"), ("monitor",), retention_days=14
)
ALARMS = Topic(
    "alarms",
    "alarm",
    "model",
    ("monitor", "learner", "exporter"),
    ("learner", "notifier", "anyone"),
    retention_days=90,
)
MODELS = Topic(
    "models",
    "model",
    "model",
    ("client", "ingest", "monitor", "learner"),
    ("monitor", "learner", "anyone"),
    retention_days=None,
)
#: Internal: state, for the loss of Redis.
SNAPSHOTS = Topic(
    "snapshots",
    None,
    "group/partition/slot",
    ("monitor", "learner"),
    ("monitor", "learner"),
    retention_days=None,
    compacted=True,
)
#: 4 MiB, because a record near its own limit must still fit with the headers that say why.
DEAD_LETTERS = Topic(
    "dead-letters",
    None,
    "original key",
    ("monitor",),
    ("operators",),
    retention_days=14,
    max_message_bytes=4 * 1024 * 1024,
)

TOPICS = (PREDICTIONS, LABELS, FEEDBACK, ALARMS, MODELS, SNAPSHOTS, DEAD_LETTERS)
#: What a worker reads, in the order in which equal timestamps are taken.
SOURCES = (MODELS, PREDICTIONS, LABELS, FEEDBACK)
