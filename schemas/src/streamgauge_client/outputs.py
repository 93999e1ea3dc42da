"""Outputs and labels: whatever a model's library returns, in the contract's few forms.

One rule for both, so that a label meets its output: a boolean is a class and is written ``"true"``
or ``"false"``; a class in a dictionary of classes is written as text (``class_name``); a plain
number stays a number, because nothing tells a class 1 from a quantity 1. Who compares a number
with a scored label compares ``class_name(number)``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from streamgauge_client.events.base import MAX_FEATURES, MAX_IDENTIFIER
from streamgauge_client.fields import number, text, vector
from streamgauge_client.stats import Counters
from streamgauge_client.unfit import Unfit

_SCORED_LABEL = frozenset({"label", "score", "scores"})


def class_name(given: object) -> str:
    """The name of a class, whatever kind of value the model uses for it.

    >>> class_name(True), class_name(1), class_name(1.0), class_name("fraud")
    ('true', '1', '1', 'fraud')
    """
    if type(given) is not str and hasattr(given, "tolist"):
        given = given.tolist()
    if isinstance(given, bool):
        return "true" if given else "false"
    if isinstance(given, float) and given.is_integer():
        given = int(given)
    if not isinstance(given, (str, int, float)):
        raise Unfit(f"a class is a {type(given).__name__}; give text, a number or a boolean")
    name = str(given)
    if not 0 < len(name) <= MAX_IDENTIFIER:
        raise Unfit(f"a class has {len(name)} characters; 1 to {MAX_IDENTIFIER} are allowed")
    return name


def output(given: Any, counters: Counters, *, name: str = "output") -> Any:
    """An output or a label as the contract has it.

    Probabilities by class (``{False: 0.1, True: 0.9}``) become ``{label, score, scores}``; an
    empty dictionary (a model that has learned nothing) is a null output. Arrays of one element or
    one row are taken for that element or row.
    """
    if given is None:
        return None
    if type(given) is str:
        return text(given, name, counters)
    if type(given) is dict or isinstance(given, Mapping):
        return _scored(given, counters, name)
    if type(given) is not float and hasattr(given, "tolist"):
        given = given.tolist()
        while isinstance(given, list) and len(given) == 1:
            given = given[0]
    if isinstance(given, bool):
        return class_name(given)
    if isinstance(given, (int, float)):
        return number(given, name, counters)
    if isinstance(given, (list, tuple)):
        return vector(given, name, counters)
    if hasattr(given, "model_dump"):
        return _scored(given.model_dump(), counters, name)
    if given is None:
        return None
    return text(given, name, counters)


def _scored(given: Mapping[Any, Any], counters: Counters, name: str) -> dict[str, Any] | None:
    if not given:
        return None
    if "label" in given and _SCORED_LABEL.issuperset(given):
        return _as_given(given, counters, name)
    scores = scores_by_name(given, counters, name)
    if not scores:
        return None
    label = max(scores, key=scores.__getitem__)
    return _with_scores({"label": label, "score": scores[label]}, scores, counters)


def _as_given(given: Mapping[Any, Any], counters: Counters, name: str) -> dict[str, Any]:
    scored: dict[str, Any] = {"label": class_name(given["label"])}
    if given.get("score") is not None:
        scored["score"] = number(given["score"], f"the score of {name}", counters)
    scores = given.get("scores")
    if scores is None:
        return scored
    if not isinstance(scores, Mapping):
        raise Unfit(f"the scores of {name} are a {type(scores).__name__}; give a dictionary")
    return _with_scores(scored, scores_by_name(scores, counters, name), counters)


def scores_by_name(
    given: Mapping[Any, Any], counters: Counters, name: str = "scores"
) -> dict[str, float]:
    """Scores by the class's name. A class whose score is NaN is left out."""
    scores: dict[str, float] = {}
    for key, value in given.items():
        score = number(value, f"the score of class {key!r} in {name}", counters)
        if score is not None:
            scores[class_name(key)] = score
    return scores


def _with_scores(
    scored: dict[str, Any], scores: dict[str, float], counters: Counters
) -> dict[str, Any]:
    if len(scores) > MAX_FEATURES:
        counters.adjusted("scores")
    else:
        scored["scores"] = scores
    return scored
