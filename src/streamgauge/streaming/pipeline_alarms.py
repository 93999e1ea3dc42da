"""Alarms about the pipeline itself: state lost, data lost, and what stops a partition."""

from __future__ import annotations

import hashlib

from streamgauge_client.events import AlarmEvent

#: The model that stands for the stream itself.
STREAM = "_stream"


def state_lost(group: str, partition: int, detail: str) -> AlarmEvent:
    return _alarm(
        "StateLost",
        group,
        partition,
        detail,
        f"Partition {partition} of group {group} lost its state: Kafka remembers the group, Redis"
        f" has no checkpoint ({detail}). It starts cold from the oldest record still there.",
    )


def data_loss(group: str, partition: int, topic: str, *, position: int, start: int) -> AlarmEvent:
    return _alarm(
        "DataLoss",
        group,
        partition,
        f"{topic}:{position}:{start}",
        f"{start - position} records of {topic}, partition {partition}, were deleted before group"
        f" {group} read them (offsets {position} to {start - 1}). Raise the topic's retention.",
    )


def log_truncated(group: str, partition: int, topic: str, *, position: int) -> AlarmEvent:
    """Of the position alone: where the new log ends changes from look to look."""
    return _alarm(
        "LogTruncated",
        group,
        partition,
        f"{topic}:{position}",
        f"Partition {partition} of group {group} is not read on: {topic} was made anew or cut, and"
        f" no longer has what was counted before offset {position}.",
    )


def processor_failing(group: str, partition: int, first: str) -> AlarmEvent:
    return _alarm(
        "ProcessorFailing",
        group,
        partition,
        first,
        f"Partition {partition} of group {group} is not read on: the processor raised over one"
        f" record after the other, from {first} on. The records wait in the log.",
    )


def invalid_ratio(group: str, partition: int, what: str, at: str) -> AlarmEvent:
    """``what`` says how many, ``at`` the record at which it was too much."""
    return _alarm(
        "InvalidRatio",
        group,
        partition,
        at,
        f"{what} in partition {partition} were refused by group {group}, up to {at}. Why stands in"
        " the dead letters: streamgauge tail dead-letters --from-beginning --no-follow",
    )


def invalid_ratio_over(group: str, partition: int, at: str) -> AlarmEvent:
    """Fewer are refused again, by the record ``at``."""
    fired = invalid_ratio(group, partition, "", f"over\0{at}")
    return fired.model_copy(
        update={
            "status": "resolved",
            "summary": f"Records in partition {partition} are taken again by group {group}.",
        }
    )


def outbox_full(group: str, partition: int, first: str, most: int) -> AlarmEvent:
    """``first`` is the id of the first that was dropped."""
    return _alarm(
        "OutboxFull",
        group,
        partition,
        first,
        f"Partition {partition} of group {group} dropped alarms: Kafka took none for so long that"
        f" {most} were waiting. Those and this one come late, the dropped ones never; what they"
        " were about is in the models' views.",
    )


def state_too_large(group: str, partition: int) -> AlarmEvent:
    return _alarm(
        "StateTooLarge",
        group,
        partition,
        "",
        f"Partition {partition} of group {group} is not read on: its state is larger than the"
        " store can take in one write. Give the topics more partitions.",
    )


def partitions_grew(group: str, before: int, after: int) -> AlarmEvent:
    """About the topics, so the same whichever partition says it."""
    cause = f"{STREAM}\0pipeline\0PartitionsGrew\0{group}"
    return AlarmEvent(
        alarm_id=_digest(f"{cause}\0{before}\0{after}"),
        fingerprint=_digest(cause),
        status="firing",
        severity="warning",
        kind="pipeline",
        scope={"group": group},
        model=STREAM,
        rule="PartitionsGrew",
        summary=f"The source topics went from {before} to {after} partitions. Models whose key now"
        f" lies in another one start cold there in group {group}, and labels under way miss their"
        " predictions. Nothing is lost.",
    )


def _alarm(rule: str, group: str, partition: int, detail: str, summary: str) -> AlarmEvent:
    cause = f"{STREAM}\0pipeline\0{rule}\0{group}\0{partition}"
    return AlarmEvent(
        alarm_id=_digest(f"{cause}\0{detail}"),
        fingerprint=_digest(cause),
        status="firing",
        severity="critical",
        kind="pipeline",
        scope={"group": group, "partition": str(partition)},
        model=STREAM,
        rule=rule,
        summary=summary,
    )


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
