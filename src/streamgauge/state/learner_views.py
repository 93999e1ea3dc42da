"""What others may read of a learner: candidates, their contests, and who is champion."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from streamgauge.state.views import View

#: Behind a model's field in the hash of views: this one is the learner's.
SUFFIX = ".learner"


class CandidateView(View):
    """One challenger. Losses are means over answered predictions whose truth is known."""

    name: str
    estimator: str
    learned: int = 0
    answered: int = 0
    loss: float | None = None
    #: Why it learns no more, or lost; empty while all is well.
    halted: str = ""
    failed: bool = False
    #: Why its newest snapshot may not take the place of the one that serves; empty if it may.
    unfit: str = ""
    #: Examples that were not learned, by reason, and those that wait.
    refused: dict[str, int] = Field(default_factory=dict)
    held: int = 0
    #: observing, ready, proposed, …; empty while there is no contest.
    status: str = ""
    evidence: dict[str, Any] = Field(default_factory=dict)


class PlainView(View):
    """The plain linear model beside. Both losses are means over the same ``answered`` predictions.

    ``champion_loss`` is that of the answers that are published.
    """

    estimator: str = ""
    learned: int = 0
    answered: int = 0
    loss: float | None = None
    champion_loss: float | None = None
    #: Why it learns no more; empty while all is well.
    halted: str = ""

    @property
    def gap(self) -> float | None:
        """How much less the published answers lose; None while nothing was compared."""
        if self.loss is None or self.champion_loss is None:
            return None
        return self.loss - self.champion_loss


class LearnerView(View):
    """A model that learns, on one partition."""

    model: str
    partition: int
    #: The name of a candidate, or "published": whatever the model's service answers with.
    champion: str = "published"
    champion_since: float | None = None
    champion_answered: int = 0
    champion_loss: float | None = None
    learned: int = 0
    pending: int = 0
    comparisons: int = 0
    #: Whether a data-quality alarm holds learning up.
    held_up: bool = False
    candidates: list[CandidateView] = Field(default_factory=list)
    plain: PlainView | None = None
    #: The last decisions, the newest last.
    decisions: list[dict[str, Any]] = Field(default_factory=list)
    log_time: float | None = None
