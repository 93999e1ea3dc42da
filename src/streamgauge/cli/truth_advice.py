"""What to do where labels and predictions do not meet as they should."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from streamgauge.cli.verdict_rows import percent

if TYPE_CHECKING:
    from streamgauge.state.views import LabelsView

#: Fewer labels than these say nothing yet.
FEWEST = 30
#: A larger share than this is no accident.
MANY = 0.05
#: Annotators who disagree more often set the bound of what any model can reach.
MUCH_DISAGREEMENT = 0.1


def advice(labels: LabelsView) -> list[str]:
    """One line for each thing that is wrong with a model's labels, gravest first."""
    return list(_advice(labels))


def _advice(labels: LabelsView) -> Iterator[str]:
    counts = labels.counts
    came, joined = counts.get("labels", 0), counts.get("joined", 0)
    unmet = labels.orphans + labels.early
    if came >= FEWEST and unmet > MANY * came:
        yield (
            f"{unmet:,} of {came:,} labels met no prediction: see that they carry the same "
            "prediction_id, model and (with shards) key as the prediction, and that producers "
            "partition by murmur2_random; `streamgauge doctor` looks at keys"
        )
        if counts.get("expired", 0) > MANY * max(counts.get("settled", 0), 1):
            yield (
                "or they come too late: predictions wait for label_delay.max and no longer; "
                "raise it in the spec"
            )
    elif counts.get("expired", 0) > MANY * max(counts.get("settled", 0), FEWEST):
        share = percent(counts["expired"] / max(counts.get("settled", 0), 1))
        yield (
            f"{share} of predictions got no label in time: if labels come later, raise "
            "label_delay.max; if no label means no, set labels.implicit_negative_after"
        )
    if joined >= FEWEST and labels.mismatched > MANY * joined:
        yield (
            f"{labels.mismatched:,} of {joined:,} labels fit no answer (another type, or a number "
            "outside 0..1): declare task and, of two classes, labels.positive in the spec"
        )
    if labels.sampling_ratio < 1:
        one_in = f"{1 / labels.sampling_ratio:,.0f}" if labels.sampling_ratio > 1e-9 else ""
        share = f"one prediction in {one_in} is" if one_in else "no prediction is"
        yield (
            f"more predictions wait than may, so {share} followed: raise labels.pending_max "
            "(it costs about 150 bytes each), or lower label_delay.max"
        )
    if labels.disagreement_ratio is not None and labels.disagreement_ratio > MUCH_DISAGREEMENT:
        yield (
            f"annotators disagree on {percent(labels.disagreement_ratio)} of what two of them "
            "saw: no model can be much better than they agree"
        )
