"""The figures that a criterion, a baseline or a risk may name, and what each needs to be known."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from streamgauge_client.events.feedback import FEEDBACK_KINDS

_CUSTOM = re.compile(r"custom:.{1,100}_ratio")
#: A score that labels carry, by its own name, or a score of one horizon of a forecast.
_SCORE = re.compile(r"score:[^@]{1,100}(@.{1,100})?|[a-z][a-z0-9_]{0,99}@.{1,100}")


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure of a model's window.

    ``feature`` says whether it is of one feature, written ``missing_ratio(amount)``. ``needs`` is
    what must arrive beside predictions before it can be known. ``better`` is the side on which a
    model is better, where there is one.
    """

    name: str
    about: str
    feature: Literal["no", "optional", "required"] = "no"
    needs: Literal["", "labels", "feedback", "telemetry"] = ""
    better: Literal["", "higher", "lower"] = ""


def _table() -> dict[str, Measure]:
    found = [
        Measure("error_ratio", "predictions that ended in an error"),
        Measure("fallback_ratio", "predictions that were answered by a fallback"),
        Measure("null_output_ratio", "predictions without an output"),
        Measure("low_confidence_ratio", "predictions of which the model itself is not sure"),
        Measure("p50_latency_ms", "median latency in milliseconds"),
        Measure("p95_latency_ms", "latency that 95 % of predictions keep, in milliseconds"),
        Measure("p99_latency_ms", "latency that 99 % of predictions keep, in milliseconds"),
        Measure("throughput", "predictions a second"),
        Measure("mean_score", "mean of the output's score"),
        Measure("drift_severity", "worst distance from the reference ÷ threshold", "optional"),
    ]
    for name, about in (
        ("missing_ratio", "predictions in which a feature is missing"),
        ("wrong_type_ratio", "values of another type"),
        ("out_of_range_ratio", "values outside the declared range"),
        ("new_category_ratio", "categories never seen before"),
        ("mean", "mean of a numeric feature"),
    ):
        found.append(Measure(name, about, "required"))
    for kind in FEEDBACK_KINDS:
        found.append(
            Measure(f"{kind}_ratio", f"interactions with feedback {kind}", needs="feedback")
        )
    for name in (
        "cpu_ratio",
        "memory_bytes",
        "load_1m",
        "gpu_ratio",
        "gpu_memory_bytes",
        "network_receive_bytes_per_second",
        "network_transmit_bytes_per_second",
        "requests_per_second",
        "request_errors_per_second",
        "requests_in_flight",
    ):
        found.append(Measure(name, "as the client's telemetry says", needs="telemetry"))
    for name in (
        "accuracy",
        "balanced_accuracy",
        "precision",
        "recall",
        "f1",
        "roc_auc",
        "pr_auc",
        "mcc",
        "kappa",
        "r2",
        "value",
    ):
        found.append(Measure(name, "quality against the truth", needs="labels", better="higher"))
    for name in ("log_loss", "brier", "ece", "mce", "mae", "rmse"):
        found.append(Measure(name, "distance from the truth", needs="labels", better="lower"))
    found.append(Measure("bias", "mean of prediction minus truth", needs="labels"))
    found.append(Measure("ndcg", "a score that labels carry", needs="labels", better="higher"))
    for name in ("wer", "pinball", "mse", "mape"):
        found.append(Measure(name, "a score that labels carry", needs="labels", better="lower"))
    return {each.name: each for each in found}


MEASURES: Mapping[str, Measure] = _table()
#: What people also call them.
ALIASES: Mapping[str, str] = {
    "auc": "roc_auc",
    "error_rate": "error_ratio",
    "qps": "throughput",
    "average_precision": "pr_auc",
}


def figure_name(name: str) -> str:
    """What a figure is called where it is measured: aliases are resolved.

    >>> figure_name("auc"), figure_name("score:happiness"), figure_name("auc@7d")
    ('roc_auc', 'happiness', 'auc@7d')
    """
    return ALIASES.get(name, name.removeprefix("score:"))


def measure(name: str) -> Measure | None:
    """The figure of that name, also of feedback or a score of one's own; None where there is none.

    >>> measure("auc").name, measure("custom:refund_ratio").needs, measure("happiness")
    ('roc_auc', 'feedback', None)
    >>> measure("score:happiness").needs, measure("pinball@24h").better
    ('labels', 'lower')
    """
    if _CUSTOM.fullmatch(name):
        return Measure(
            name, f"interactions with feedback {name[: -len('_ratio')]}", "no", "feedback"
        )
    if _SCORE.fullmatch(name):
        known = MEASURES.get(figure_name(name.partition("@")[0]))
        better = known.better if known is not None else ""
        return Measure(figure_name(name), "a score that labels carry", "no", "labels", better)
    return MEASURES.get(ALIASES.get(name, name))


def nearest_measure(name: str) -> str:
    """A figure that was perhaps meant; empty where none is near."""
    near = difflib.get_close_matches(name, [*MEASURES, *ALIASES], n=1)
    return near[0] if near else ""
