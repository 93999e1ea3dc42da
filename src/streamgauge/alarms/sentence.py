"""The sentence of an alarm: what happened, how much, where, in plain English."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from streamgauge.alarms.finding import Direction, Finding

QUALITY_WORDS = {
    "missing": "is missing in",
    "wrong_type": "has values of another type in",
    "out_of_range": "is out of its range in",
    "new_category": "has categories never seen before in",
    "duplicate": "comes twice in",
    "ahead": "states a time ahead of its record in",
    "late": "comes after its window had closed in",
}
#: What users do, as one says it of them.
BEHAVIOUR_WORDS = {
    "redo": "ask again",
    "switch_mode": "switch to another way",
    "edit": "edit the answer",
    "abandon": "give up",
    "override": "override the answer",
    "thumbs_down": "dislike the answer",
    "report": "report the answer",
}

#: How the target of a finding about a score begins that labels carry.
SCORE = "score "

SUBJECTS = {
    "output": "the output",
    "output.score": "the score",
    "output.label": "the predicted class",
    "output.latency": "the latency",
    "output.confidence": "the confidence",
    "output.margin": "the margin between the first two classes",
    "output.entropy": "the entropy of the scores",
    "input.anomaly": "the anomaly score of the inputs",
    "errors": "the share of wrong answers",
    "prediction_id": "the prediction id",
    "timestamp": "an event",
}


def firing(
    model: str,
    kind: str,
    findings: Sequence[Finding],
    *,
    version: str = "",
    earlier_step: str | None = None,
) -> str:
    """Say what began. ``findings`` are those that exceed, the worst first.

    ``earlier_step`` is the step that moved before this one, if one did.
    """
    lead = findings[0]
    others = len({finding.target for finding in findings} - {lead.target})
    noun = {
        "prediction_drift": "output",
        "release": "output",
        "feedback": "kind",
        "performance": "figure",
    }.get(kind, "feature")
    more = f" (and {others} more {noun}{'s' if others > 1 else ''})" if others else ""
    of = f" {version}" if kind == "release" and version else ""
    first = f"; step {earlier_step} moved first" if earlier_step else ""
    return f"{model}{of}: {_what(kind, lead)}{more}{first}"


def resolved(
    model: str, kind: str, lead: str, seconds: float, *, gone: bool = False, accepted: str = ""
) -> str:
    """Say that it ended, and how long it went on.

    ``gone`` where nothing is left to judge; ``accepted`` where somebody said that it is right so.
    """
    subject = {
        "latency": "latency",
        "traffic": "the error ratio",
        "feedback": f"the rate of {lead}",
    }.get(kind, _subject(lead))
    if kind == "staleness":
        return f"{model}: predictions come again after {duration(seconds)}"
    if accepted:
        return f"{model}: {subject} is {accepted} after {duration(seconds)}"
    if kind == "release" and not gone:
        return f"{model}: {subject} is like that of the version before after {duration(seconds)}"
    how = "is no longer there to judge" if gone else "is back to normal"
    return f"{model}: {subject} {how} after {duration(seconds)}"


def duration(seconds: float) -> str:
    """Seconds as people say them.

    >>> duration(42.4), duration(600.0), duration(7200.0)
    ('42 s', '10 min', '2.0 h')
    """
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def moment(seconds: float) -> str:
    """A time since 1970 as people read it, in UTC.

    >>> moment(1_790_000_000.0)
    '2026-09-21 14:13:20 UTC'
    """
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def mean_change(
    before: float | None, after: float | None, std: float | None
) -> tuple[str, Direction]:
    """A shift of the mean in words, and its direction.

    >>> mean_change(10.0, 100.0, 2.0)
    ('mean 10 → 100, ×10', 'up')
    >>> mean_change(10.0, 11.0, 2.0)
    ('mean 10 → 11, +0.5 σ', 'up')
    >>> mean_change(5.0, 7.0, 0.0)
    ('mean 5 → 7', 'up')
    >>> mean_change(10.0, 10.0, 2.0)
    ('the shape changed, the mean stayed at 10', 'changed')
    """
    if before is None or after is None:
        return "", "changed"
    direction = direction_of(before, after, std)
    if direction == "changed":
        return f"the shape changed, the mean stayed at {after:.4g}", direction
    text, factor = f"mean {before:.4g} → {after:.4g}", _factor(before, after, std)
    if factor >= 2:
        return f"{text}, ×{factor:.3g}", direction
    if 0 < factor <= 0.5:
        return f"{text}, ÷{1 / factor:.3g}", direction
    return (f"{text}, {(after - before) / std:+.1f} σ" if std else text), direction


def direction_of(before: float | None, after: float | None, std: float | None) -> Direction:
    """The direction of ``mean_change``, without the words, which hardly any window needs."""
    if before is None or after is None:
        return "changed"
    stayed = abs((after - before) / std) < 0.1 if std else after == before
    if stayed:
        factor = _factor(before, after, std)
        if not (factor >= 2 or 0 < factor <= 0.5):
            return "changed"
    return "up" if after > before else "down"


def _factor(before: float, after: float, std: float | None) -> float:
    # A mean that is nearly nothing makes any change a factor of thousands.
    return after / before if abs(before) > (std or 0.0) / 2 else 1.0


def silent(model: str, step: str, seconds: float, usual: str) -> str:
    """Say that nothing comes any more. ``usual`` is what is normal, in words."""
    of = f" of step {step}" if step else ""
    return f"{model}: no predictions{of} for {duration(seconds)} ({usual})"


def _what(kind: str, lead: Finding) -> str:
    if lead.rule == "low_confidence":
        return f"the model is unsure in {_percent(lead.value)} of predictions ({lead.change})"
    if lead.rule == "rule":
        name = lead.target.removeprefix("rule ")
        return f"rule {name} is broken by {_percent(lead.value)} of predictions ({lead.change})"
    if lead.rule == "unusual":
        return f"inputs are unusual in {_percent(lead.value)} of predictions ({lead.change})"
    if kind == "concept_drift" and lead.target.startswith(SCORE):
        name = lead.target.removeprefix(SCORE)
        return f"{name} is poor in {_percent(lead.value)} of labelled predictions ({lead.change})"
    if kind == "concept_drift":
        return (
            f"answers are wrong in {_percent(lead.value)} of labelled predictions ({lead.change})"
        )
    if kind == "performance":
        return f"{lead.target} is {lead.value:.4g} ({lead.change})"
    if kind == "feedback":
        act = BEHAVIOUR_WORDS.get(lead.target, f"act ({lead.target})")
        return f"users {act} in {_percent(lead.value)} of interactions ({lead.change})"
    if kind == "release" and lead.rule == "error_ratio":
        return f"{_percent(lead.value)} of predictions end in an error, more {lead.change}"
    if kind == "release":
        return (
            f"{_subject(lead.target)} is distributed otherwise {lead.change} "
            f"(distance {lead.value:.2f}, threshold {lead.threshold:.2f})"
        )
    if kind == "data_quality" and lead.rule in QUALITY_WORDS:
        fault = f"{_subject(lead.target)} {QUALITY_WORDS[lead.rule]}"
        return f"{fault} {_percent(lead.value)} of predictions ({lead.change})"
    if kind == "data_quality":
        return f"{lead.target} {lead.change}"
    if kind == "traffic":
        return f"{_percent(lead.value)} of predictions end in an error ({lead.change})"
    if kind == "latency":
        return f"predictions take longer: {lead.change}"
    moved = f": {lead.change}" if lead.change else ""
    return (
        f"{_subject(lead.target)} moved away from its reference{moved} "
        f"(distance {lead.value:.2f}, threshold {lead.threshold:.2f})"
    )


def _percent(ratio: float | None) -> str:
    percent = 100 * (ratio or 0.0)
    return f"{percent:.0f} %" if percent >= 1 else f"{percent:.2g} %"


def _subject(target: str) -> str:
    return SUBJECTS.get(target, target)
