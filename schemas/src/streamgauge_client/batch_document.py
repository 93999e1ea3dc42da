"""From a frame and what its columns mean to one document of columns, as the contract has it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from streamgauge_client import column_lists, documents
from streamgauge_client.batch_privacy import protect
from streamgauge_client.claims import Frame
from streamgauge_client.events.base import MAX_FEATURES
from streamgauge_client.events.timestamp import to_seconds
from streamgauge_client.fields import identifier, text
from streamgauge_client.frames import columns_of, looks_like_a_frame
from streamgauge_client.ids import new_ids
from streamgauge_client.moments import seconds
from streamgauge_client.outputs import class_name
from streamgauge_client.privacy import PrivacyPolicy
from streamgauge_client.stats import Counters
from streamgauge_client.unfit import Unfit

_SCORED = frozenset({"label", "score", "scores"})
_STATUSES = frozenset({"ok", "error", "fallback"})
Document = dict[str, Any]


def batch_document(
    frame: Any,
    given: Mapping[str, Any],
    counters: Counters,
    *,
    model: str,
    privacy: PrivacyPolicy | None = None,
) -> Document | None:
    """All rows in one document, however many; None where there are none.

    ``given`` holds the arguments of ``Publisher.log_batch`` by name. Raises ``Unfit``.
    """
    columns = Frame(frame)
    if columns.empty:
        return None
    document: Document = {
        "prediction_id": _ids(given["prediction_id"], columns, counters),
        "model": model,
        "version": identifier(given["version"], "version"),
        "timestamp": _timestamp(given["timestamp"], columns, counters),
        "output": _output(given["output"], columns, counters),
        "latency_ms": _latency(given["latency_ms"], columns, counters),
        "status": _status(given["status"], columns, counters),
        "segment": _segment(given["segment"], columns, counters),
    }
    for name in ("parent_id", "entity_id", "interaction_id"):
        if given[name] is not None:
            column = columns.column(given[name], name)
            document[name] = column_lists.identifiers(column, name, counters)
    documents.fill(
        document,
        documents.PREDICTION,
        ((name, given[name]) for name in ("variant", "step", "lineage", "tags")),
        counters,
    )
    # Last: what has no other meaning is a feature.
    document["features"] = _features(given["features"], columns, counters, privacy)
    rows = check_rows(document)
    if rows == 0:
        return None
    document["prediction_id"] = document["prediction_id"] or new_ids(rows)
    document["output"] = document["output"] or [None] * rows
    document = {name: value for name, value in document.items() if value not in (None, {})}
    if privacy is not None:
        protect(document, privacy, counters)
    return document


def check_rows(document: Mapping[str, Any]) -> int:
    """The rows of all columns. Raises ``Unfit`` where they differ, or where there is none."""
    first: tuple[str, int] | None = None
    for name, column in lists(document):
        if first is None:
            first = (name, len(column))
        elif len(column) != first[1]:
            raise Unfit(
                f"{name} has {len(column):,} rows, {first[0]} has {first[1]:,}; "
                "columns of one batch are equally long"
            )
    if first is None:
        raise Unfit("no column was given; give a frame, or features and output as columns")
    return first[1]


def cut(value: Any, pick: Callable[[list[Any]], list[Any]]) -> Any:
    """A document with some of its rows: every list in it is a column, every mapping holds some."""
    if isinstance(value, list):
        return pick(value)
    if isinstance(value, dict):
        return {name: cut(inner, pick) for name, inner in value.items()}
    return value


def lists(value: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, list[Any]]]:
    """The columns of a document with the places where they are."""
    for name, inner in value.items():
        if isinstance(inner, list):
            yield f"{path}{name[:100]}", inner
        elif isinstance(inner, dict):
            yield from lists(inner, f"{path}{name}.")


def _is_one(given: Any) -> bool:
    """Whether this is one value, and no column of them."""
    return isinstance(given, (str, int, float, Decimal, datetime)) or (
        getattr(given, "ndim", None) == 0
    )


def _ids(given: Any, frame: Frame, counters: Counters) -> list[str] | None:
    if given is None:
        return None
    ids = column_lists.identifiers(frame.column(given, "prediction_id"), "prediction_id", counters)
    known = [one for one in ids if one is not None]
    if len(known) < len(ids):
        raise Unfit(
            f"prediction_id is missing in row {ids.index(None)}; "
            "fill it in, or leave prediction_id out and take the ids that are returned"
        )
    return known


def _timestamp(given: Any, frame: Frame, counters: Counters) -> Any:
    if given is None:
        return time.time()
    if _is_one(given) and not (isinstance(given, str) and _names_a_column(given, frame)):
        return seconds(given)
    return column_lists.moments(frame.column(given, "timestamp"), "timestamp", counters)


def _names_a_column(given: str, frame: Frame) -> bool:
    if given in frame:
        return True
    try:
        to_seconds(given)
    except ValueError:
        # Neither: to ask for the column tells which ones there are.
        return True
    return False


def _latency(given: Any, frame: Frame, counters: Counters) -> Any:
    if given is None:
        return None
    if _is_one(given) and not isinstance(given, str):
        return documents.PREDICTION["latency_ms"](given, "latency_ms", counters)
    return column_lists.latencies(frame.column(given, "latency_ms"), "latency_ms", counters)


def _status(given: Any, frame: Frame, counters: Counters) -> Any:
    if given is None:
        return None
    if isinstance(given, str) and given in _STATUSES:
        return given if given != "ok" else None
    words = column_lists.texts(frame.column(given, "status"), "status", counters)
    for word in sorted(set(words) - _STATUSES, key=str):
        documents.STATUS(word, "status", counters)
    return words


def _segment(given: Any, frame: Frame, counters: Counters) -> dict[str, Any] | None:
    if given is None:
        return None
    if isinstance(given, str):
        given = [given]
    if isinstance(given, (list, tuple)):
        given = {name: frame.column(name, "segment") for name in given}
    elif not isinstance(given, Mapping):
        given = columns_of(given)
    _check_number("segment", given)
    segment: dict[str, Any] = {}
    for key, value in given.items():
        name = identifier(key, "a key of segment")
        if isinstance(value, str) and value in frame:
            value = frame.column(value, "segment")
        if _is_one(value):
            segment[name] = text(value, f"segment[{name!r}]", counters)
        elif value is not None:
            segment[name] = column_lists.texts(value, f"segment.{name}", counters)
    return segment


def _features(
    given: Any, frame: Frame, counters: Counters, privacy: PrivacyPolicy | None
) -> dict[str, list[Any]]:
    if given is None:
        columns = frame.rest()
    elif looks_like_a_frame(given):
        columns = columns_of(given)
    elif isinstance(given, str):
        columns = {given: frame.column(given, "features")}
    elif isinstance(given, (list, tuple)) and all(isinstance(name, str) for name in given):
        columns = {name: frame.column(name, "features") for name in given}
    else:
        raise Unfit(
            f"features is a {type(given).__name__}; give names of columns, a frame, "
            "or columns by name: dict(zip(names, X.T))"
        )
    if privacy is not None:
        # Before they are read: what is dropped may be what JSON cannot hold.
        columns = privacy.without_dropped(columns.items())
    _check_number("features", columns)
    return {name: column_lists.features(c, name, counters) for name, c in columns.items()}


def _check_number(name: str, columns: Mapping[Any, Any]) -> None:
    if len(columns) > MAX_FEATURES:
        raise Unfit(f"{name}: {len(columns):,} columns; at most {MAX_FEATURES:,} are allowed")


def _output(given: Any, frame: Frame, counters: Counters) -> Any:
    if given is None:
        return None
    if not looks_like_a_frame(given):
        return column_lists.outputs(frame.column(given, "output"), "output", counters)
    columns = given if isinstance(given, Mapping) else columns_of(given)
    if "label" in columns and _SCORED.issuperset(columns):
        return _as_given(columns, frame, counters)
    by_class = _scores(columns, "output", frame, counters)
    return _most_likely(by_class, counters) if by_class else None


def _as_given(columns: Mapping[Any, Any], frame: Frame, counters: Counters) -> Document:
    label = frame.column(columns["label"], "output")
    output: Document = {"label": column_lists.classes(label, "output.label", counters)}
    if columns.get("score") is not None:
        score = frame.column(columns["score"], "output")
        output["score"] = column_lists.numbers(score, "output.score", counters)
    if (scores := columns.get("scores")) is not None:
        by_class = scores if isinstance(scores, Mapping) else columns_of(scores)
        output |= _bounded(_scores(by_class, "output.scores", frame, counters), counters)
    return output


def _scores(
    columns: Mapping[Any, Any], name: str, frame: Frame, counters: Counters
) -> dict[str, list[float | None]]:
    return {
        class_name(key): column_lists.numbers(frame.column(column, name), f"{name}.{key}", counters)
        for key, column in columns.items()
    }


def _most_likely(by_class: dict[str, list[float | None]], counters: Counters) -> Document:
    """Probabilities by class: the label of a row is the class that has most of it."""
    check_rows(by_class)
    names = list(by_class)
    labels: list[str | None] = []
    best: list[float | None] = []
    for row in zip(*by_class.values(), strict=True):
        known = [score for score in row if score is not None]
        best.append(max(known) if known else None)
        labels.append(names[row.index(best[-1])] if known else None)
    return {"label": labels, "score": best, **_bounded(by_class, counters)}


def _bounded(by_class: Document, counters: Counters) -> Document:
    if len(by_class) > MAX_FEATURES:
        counters.adjusted("scores")
        return {}
    return {"scores": by_class}
