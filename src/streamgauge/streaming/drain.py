"""Taking what aiokafka's fetcher holds: its ``fetched_records`` by whole batches, no waiting."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from aiokafka import TopicPartition
from aiokafka.consumer.fetcher import Fetcher, FetchResult

from streamgauge.streaming.log_reader import LogReader


def drain(
    fetcher: Fetcher, partitions: Collection[Any], limit: int, *, chunked: Collection[str]
) -> dict[TopicPartition, list[Any]]:
    """Up to ``limit`` records that were fetched of these topic partitions.

    Those of topics in ``chunked`` come as our own records, all others as aiokafka's. Raises what a
    fetch has met, where there is nothing to return before it. A damaged batch raises at once, and
    what was drained before it is gone: the worker ends, and begins again from its checkpoint.
    """
    drained: dict[TopicPartition, list[Any]] = {}
    for tp in list(fetcher._records):
        if tp not in partitions:
            if not fetcher._subscriptions.is_assigned(tp):
                del fetcher._records[tp]
            continue
        result = fetcher._records[tp]
        failed = type(result) is not FetchResult
        if failed and drained:
            break  # the next call raises it
        records: list[Any] = []
        if not failed:
            take = _take if tp.topic in chunked else FetchResult.getall
            records = take(result, limit)
        if failed or not result.has_more():
            # Used up: the fetcher may ask for more.
            del fetcher._records[tp]
            fetcher._notify(fetcher._wait_consume_future)
        if failed:
            result.check_raise()
        if records:
            drained[tp] = records
            limit -= len(records)
            if not limit:
                break
    return drained


def _take(result: FetchResult, limit: int) -> list[Any]:
    """The same as ``result.getall``."""
    tp = result._topic_partition
    if not result.check_assignment(tp) or not result.has_more():
        return []
    reader = result._partition_records
    if not isinstance(reader, LogReader):
        reader = result._partition_records = LogReader(tp, reader)
    records = reader.take(limit)
    result._update_position()
    if len(records) < limit:
        result._partition_records = None
    return records
