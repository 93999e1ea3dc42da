"""Whether a model that was stored and read back answers as the one that learned."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson

from streamgauge.pipelines.pipeline import Pipeline
from streamgauge.registry.header import Trial
from streamgauge.registry.rejected import Rejected

#: Rows that are kept with a model.
MAX_TRIALS = 20


def last_rows(rows: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The last rows that come back from JSON as they were, at most ``MAX_TRIALS``."""
    return [row for row in rows if _is_json(row)][-MAX_TRIALS:]


def trials_of(model: Any, rows: Iterable[Mapping[str, Any]]) -> list[Trial]:
    """What a model answers. Raises ``Rejected`` where that is not finite."""
    return [Trial(features=list(row.items()), answer=answer(model, row)) for row in rows]


def copied(model: Any) -> Any:
    """A copy to be asked in the model's place.

    A pipeline of ours stays the same when it is asked, and a copy of a forest takes seconds.
    """
    # One that has learned nothing sets its forest up at the first question.
    if isinstance(model, Pipeline) and model.learned:
        return model
    try:
        return copy.deepcopy(model)
    except RecursionError:
        # A splitter thousands of nodes deep. Rather an entry too many than no snapshot.
        return model


def answer(model: Any, features: Mapping[str, Any]) -> Any:
    """A model's answer in plain values: scores by class as pairs, a class, or a number.

    Raises ``Rejected`` for an answer that is not finite.
    """
    row = dict(features)
    # A pipeline has all three, whatever its last step can; margin classifiers have no scores.
    for name in ("predict_proba_one", "predict_one"):
        ask = getattr(model, name, None)
        if ask is None:
            continue
        try:
            found = ask(row)
        except (NotImplementedError, AttributeError):
            continue
        if isinstance(found, Mapping):
            # In order: some models build their scores from a set, whose order is the process's.
            pairs = [[_plain(label), _plain(score)] for label, score in found.items()]
            return sorted(pairs, key=lambda pair: (type(pair[0]).__name__, str(pair[0])))
        return _plain(found)
    return _plain(model.score_one(row))


def refuse_other_answers(model: Any, trials: Sequence[Trial]) -> None:
    """Raises ``Rejected`` where the model answers otherwise than was written down."""
    try:
        found = trials_of(model, [trial.row for trial in trials])
    except (KeyboardInterrupt, SystemExit, Rejected):
        raise
    except BaseException as error:
        said = f"{type(error).__name__}: {error}"[:300]
        raise Rejected("self_test", f"on the rows kept with it, it fails: {said}") from error
    refuse_differences(found, trials)


def refuse_differences(found: Sequence[Trial], written: Sequence[Trial]) -> None:
    """Raises ``Rejected`` at the first answer that differs."""
    for number, (here, there) in enumerate(zip(found, written, strict=True), start=1):
        # As JSON, because so it was written: 1 and True and "1" stay apart, floats are exact.
        if orjson.dumps(here.answer) != orjson.dumps(there.answer):
            raise Rejected(
                "self_test",
                f"on row {number} of {len(written)} it answers {here.answer!r}, the model that was"
                f" stored answered {there.answer!r}"[:300],
            )


def _is_json(row: Mapping[str, Any]) -> bool:
    """Whether a row comes back from JSON as it was: a date would come back as text."""
    return all(
        value is None
        or type(value) in (bool, int, str)
        or (type(value) is float and math.isfinite(value))
        for value in row.values()
    )


def _plain(value: Any) -> Any:
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        raise Rejected("self_test", f"the model answers {value}, which is no number")
    return value
