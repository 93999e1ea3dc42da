"""The status page's block about models that learn: who answers, who learns, who is better."""

from __future__ import annotations

from collections.abc import Sequence

from streamgauge.exposition.blocks import named
from streamgauge.exposition.words import figure
from streamgauge.state.learner_views import CandidateView, LearnerView

MOST_ROWS = 100


def learning_block(learners: Sequence[LearnerView]) -> str:
    """A row for each candidate, behind a row for the answers that are published."""
    rows = [row for view in learners for row in _rows(view)]
    if not rows:
        return ""
    rest = len(rows) - MOST_ROWS
    more = f'<tr><td colspan="6" class="soft">and {rest} more</td></tr>' if rest > 0 else ""
    heads = (
        "<th>Model</th><th>Candidate</th><th class=n>Mean loss</th><th class=n>Learned</th>"
        "<th class=n>Evidence</th><th>Stands</th>"
    )
    return (
        f'<h2>Learning</h2><div class="card"><table><thead><tr>{heads}</tr></thead>'
        f"<tbody>{''.join(rows[:MOST_ROWS])}{more}</tbody></table></div>"
    )


def _rows(view: LearnerView) -> list[str]:
    rows = [_row(view.model, "published answers", view.champion_loss, None, "", _champion(view))]
    for each in view.candidates:
        rows.append(
            _row(
                view.model, each.name, each.loss, each.learned, _evidence(each), _stands(view, each)
            )
        )
    return rows


def _row(
    model: str, candidate: str, loss: float | None, learned: int | None, evidence: str, stands: str
) -> str:
    return (
        f"<tr><td>{named(model)}</td><td>{named(candidate)}</td>"
        f"<td class=n>{'–' if loss is None else f'{loss:.4g}'}</td>"
        f"<td class=n>{'–' if learned is None else figure(float(learned))}</td>"
        f"<td class=n>{evidence or '–'}</td><td>{named(stands)}</td></tr>"
    )


def _champion(view: LearnerView) -> str:
    return "champion" if view.champion == "published" else f"from {view.champion} by now"


def _evidence(candidate: CandidateView) -> str:
    e_value = candidate.evidence.get("e_value")
    return f"{e_value:.3g}" if isinstance(e_value, int | float) else ""


def _stands(view: LearnerView, candidate: CandidateView) -> str:
    if candidate.halted:
        return candidate.halted
    if view.champion == candidate.name:
        return "champion, learns on"
    if candidate.failed:
        return "failed"
    held = f"; {candidate.held} examples wait for clean inputs" if candidate.held else ""
    return f"{candidate.status or 'learning'}{held}"
