"""The topics have got more partitions: models move to other numbers, and that is said."""

from __future__ import annotations

import logging

from streamgauge.streaming.opening import Opened
from streamgauge.streaming.pipeline_alarms import partitions_grew

logger = logging.getLogger(__name__)


def note_growth(opened: Opened, count: int, *, group: str) -> None:
    """Compare with the count that the last checkpoint knew. 0 is a count that Kafka did not tell.

    Every number says it, because each of them may be idle. It is the same alarm, and readers drop
    the duplicates.
    """
    meta = opened.beginning.meta
    known = meta.partitions
    if known and count > known:
        opened.alarms.append(partitions_grew(group, known, count))
        logger.warning("%s", opened.alarms[-1].summary)
    meta.partitions = max(known, count)
