"""A document of many rows as messages: rows of one shard, few enough to fit a record."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from operator import itemgetter
from typing import Any, Protocol

import orjson

from streamgauge_client.batch_document import Document, cut, lists
from streamgauge_client.ids import new_id
from streamgauge_client.keys import partition_key
from streamgauge_client.sampling import Sampling
from streamgauge_client.stats import Counters
from streamgauge_client.unfit import Unfit

#: The largest value of one message; librdkafka takes records of 1,000,000 bytes.
MAX_BATCH_BYTES = 900 * 1024
#: Most rows of one message. The contract allows twice as many.
MESSAGE_ROWS = 5_000
#: How full a message is meant to be, since rows are not all of one size.
_AIM = 0.9


class Send(Protocol):
    """Sends one message.

    ``subject_id`` is a row's id, by which shards go; ``sampled`` the header of a message whose
    rows stand for several each.
    """

    def __call__(
        self, event_id: str, subject_id: str, value: bytes, sampled: tuple[str, bytes] | None
    ) -> None: ...


def send_in_messages(
    document: Document,
    shards: int,
    *,
    send: Send,
    guard: AbstractContextManager[Any],
    sampling: Sampling | None,
    counters: Counters,
) -> None:
    """Cut, encode and send. What goes wrong with one message is the guard's, and costs no other."""
    for part, header in _sampled(document, sampling, counters):
        for rows in by_shard(part, shards):
            _send_rows(rows, partial(send, sampled=header), guard)


def _send_rows(
    part: Document, send: Callable[[str, str, bytes], None], guard: AbstractContextManager[Any]
) -> None:
    ids = part["prediction_id"]
    start, rows = 0, MESSAGE_ROWS
    while start < len(ids):
        stop = min(start + rows, len(ids))
        with guard:
            value = _encoded(cut(part, itemgetter(slice(start, stop))))
            fit = int((stop - start) * _AIM * MAX_BATCH_BYTES / len(value))
            rows = max(1, min(MESSAGE_ROWS, fit))
            if len(value) > MAX_BATCH_BYTES:
                if stop - start > 1:
                    continue
                raise Unfit(
                    f"one row takes {len(value):,} bytes; {MAX_BATCH_BYTES:,} are allowed",
                    "too_large",
                )
            send(new_id(), ids[start], value)
        start = stop


def _sampled(
    document: Document, sampling: Sampling | None, counters: Counters
) -> Iterator[tuple[Document, tuple[str, bytes] | None]]:
    """Rows that stand for several, and rows that stand for themselves, as errors always do."""
    if sampling is None:
        yield document, None
        return
    ids = document["prediction_id"]
    status = document.get("status", "ok")
    words = status if isinstance(status, list) else [status] * len(ids)
    whole = [row for row, word in enumerate(words) if word != "ok"]
    kept = [row for row, word in enumerate(words) if word == "ok" and sampling.keeps(ids[row])]
    for _ in range(len(ids) - len(whole) - len(kept)):
        counters.sampled_out("prediction_batch")
    for rows, header in ((kept, sampling.header), (whole, None)):
        if rows:
            yield cut(document, partial(_chosen, rows)), header


def by_shard(document: Document, shards: int) -> Iterator[Document]:
    """The document's rows by shard, in their order."""
    if shards <= 1:
        yield document
        return
    rows: dict[bytes, list[int]] = {}
    for row, prediction_id in enumerate(document["prediction_id"]):
        rows.setdefault(partition_key("", prediction_id, shards), []).append(row)
    for chosen in rows.values():
        yield cut(document, partial(_chosen, chosen))


def _chosen(rows: list[int], column: list[Any]) -> list[Any]:
    return [column[row] for row in rows]


def _encoded(document: Document) -> bytes:
    try:
        return orjson.dumps(document)
    except TypeError as error:
        for name, column in lists(document):
            try:
                orjson.dumps(column)
            except TypeError:
                raise Unfit(f"{name} has no JSON: {error}", "unencodable") from error
        raise Unfit(f"no JSON for it: {error}", "unencodable") from error
