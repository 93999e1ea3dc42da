"""Metrics about the pipeline that the exporter reads from partition views: durable numbers."""

from __future__ import annotations

from streamgauge.telemetry.definition import Definition

PARTITION = ("group", "partition")

EVENTS_PROCESSED = Definition(
    "events_processed",
    "counter",
    "Records taken from the log, by kind and by what became of them (ok, dead, late, skipped).",
    ("service", "kind", "outcome"),
)
DEAD_LETTERS = Definition(
    "dead_letters", "counter", "Records that could not be taken, by reason.", ("service", "reason")
)
OFFSETS_LOST = Definition(
    "offsets_lost",
    "counter",
    "Offsets that the log had dropped before they were read.",
    PARTITION,
)
OFFSET_HOLES = Definition(
    "offset_holes",
    "counter",
    "Offsets that hold no record (compaction, transaction markers).",
    PARTITION,
)
CONSERVATION = Definition(
    "conservation_difference",
    "gauge",
    "Positions advanced less everything counted. Anything but 0 is a record gone astray.",
    PARTITION,
)
POSITION = Definition(
    "position_offset", "gauge", "Next offset that is not yet durable.", (*PARTITION, "topic")
)
WATERMARK_DELAY = Definition(
    "watermark_delay_seconds",
    "gauge",
    "Now less the time of the newest prediction record taken.",
    PARTITION,
    unit="seconds",
)
CHECKPOINT_TIMESTAMP = Definition(
    "checkpoint_timestamp_seconds",
    "gauge",
    "When the partition's state was last written, since 1970. An idle partition writes nothing.",
    PARTITION,
    unit="seconds",
)
CHECKPOINTS_WRITTEN = Definition(
    "checkpoints_written", "counter", "Number of the partition's newest checkpoint.", PARTITION
)
MODELS_HELD = Definition("models", "gauge", "Models that the partition holds state of.", PARTITION)
MODELS_DROPPED = Definition(
    "models_dropped", "gauge", "Models refused because the catalogue is full.", PARTITION
)
#: The keys of ``PartitionView.gauges`` that are exported.
GAUGES = {"models": MODELS_HELD, "models_dropped": MODELS_DROPPED}

REDIS_UP = Definition("redis_up", "gauge", "1 while Redis answers this exporter, else 0.")
VIEWS_AGE = Definition(
    "views_age_seconds", "gauge", "Time since the views were last read.", unit="seconds"
)
VIEWS = Definition("views", "gauge", "Views read, by what they are about.", ("about",))
VIEWS_SKIPPED = Definition(
    "views_skipped",
    "counter",
    "Views that could not be used (malformed, or of a newer version).",
    ("reason",),
)
SERIES_SHOWN = Definition("series", "gauge", "Series in this exposition.")
SERIES_DROPPED = Definition(
    "series_dropped",
    "counter",
    "Series left out of an exposition or added to _other, each time it is made.",
    ("reason",),
)
PROCESS_UP = Definition(
    "process_up", "gauge", "1 for each process that reported itself.", ("service", "process")
)

PIPELINE = (
    EVENTS_PROCESSED,
    DEAD_LETTERS,
    OFFSETS_LOST,
    OFFSET_HOLES,
    CONSERVATION,
    POSITION,
    WATERMARK_DELAY,
    CHECKPOINT_TIMESTAMP,
    CHECKPOINTS_WRITTEN,
    *GAUGES.values(),
    REDIS_UP,
    VIEWS_AGE,
    VIEWS,
    VIEWS_SKIPPED,
    SERIES_SHOWN,
    SERIES_DROPPED,
    PROCESS_UP,
)
