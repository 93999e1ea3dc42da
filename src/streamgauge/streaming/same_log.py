"""Whether a topic still is the log that was counted: the last record of it is still there."""

from __future__ import annotations

from streamgauge.streaming.log import SourceLog
from streamgauge.streaming.meta import LastRecord
from streamgauge.streaming.refusal import log_truncated


async def check_same_log(
    log: SourceLog, topic: str, last: LastRecord, *, group: str, partition: int, position: int
) -> None:
    """Look at the record that was the last one. Raises ``Refused`` or ``LogUnavailable``."""
    record = await log.record_at(topic, last.offset)
    # None: compaction removed it.
    if record is not None and LastRecord.of(record) != last:
        why = f"the record at {topic}, offset {last.offset}, is not the one that was counted"
        raise log_truncated(group, partition, topic, position=position, why=why)
