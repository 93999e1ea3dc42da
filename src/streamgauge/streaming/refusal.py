"""A partition number that must not go on until somebody has decided or mended something."""

from __future__ import annotations

from streamgauge.state.keys import checkpoint_key
from streamgauge.streaming import pipeline_alarms
from streamgauge.streaming.publisher import Outgoing
from streamgauge_client.events import AlarmEvent


class Refused(Exception):
    """Going on would do harm. The message says why and what to do; the alarm says it to all."""

    def __init__(self, why: str, remedy: str, alarm: AlarmEvent) -> None:
        super().__init__(f"{why}. Alarm {alarm.alarm_id}. {remedy}")
        self.alarm = alarm
        #: Dead letters that show the cause and would wait for a checkpoint that does not come.
        self.letters: list[Outgoing] = []


def log_truncated(group: str, partition: int, topic: str, *, position: int, why: str) -> Refused:
    """The log behind the position is another one."""
    return Refused(
        why,
        f"If that is right, delete the key {checkpoint_key(group, partition)} in Redis: the"
        " partition then goes on from a snapshot that fits the log, or cold from the oldest record",
        pipeline_alarms.log_truncated(group, partition, topic, position=position),
    )


def processor_failing(group: str, partition: int, first: str, in_a_row: int) -> Refused:
    """It is the processor that fails, not its records. ``first`` names the first one."""
    return Refused(
        f"the processor raised over {in_a_row} records in a row, from {first} on",
        "The records wait in the log. The traceback is in this log; mend the defect or go back to"
        " the version before. It is tried again by itself",
        pipeline_alarms.processor_failing(group, partition, first),
    )


def too_many_invalid(what: str, alarm: AlarmEvent) -> Refused:
    """More is refused than may be, and the partition is to stop then."""
    return Refused(
        f"{what} were refused, and stop_on_invalid is set",
        "The records wait in the log; what was refused is in the dead letters too, with reasons."
        " Mend what sends them, then let the monitor pass what there is with"
        " STREAMGAUGE_MONITOR__STOP_ON_INVALID=false",
        alarm,
    )


def state_too_large(group: str, partition: int, why: str) -> Refused:
    """The store can never take what has to be written."""
    return Refused(
        why,
        "The partition holds too many models: give the topics more partitions. Nothing is"
        " lost, the records wait in the log",
        pipeline_alarms.state_too_large(group, partition),
    )
