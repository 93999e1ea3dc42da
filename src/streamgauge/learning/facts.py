"""What is durable of a model's learning, for whoever brings the registry to the same state."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from streamgauge.learning.candidate import Candidate
from streamgauge.learning.model_learner import ModelLearner

#: The part of a model's state that holds them, and what the parts with pipelines begin with.
PART = "r"
PIPELINE = "m"
#: And the parts that hold what of a champion may serve, and what is on trial.
SERVING = "s"


class CandidateFacts(NamedTuple):
    """One candidate as it stood at a checkpoint. ``digest`` is that of its pipeline's bytes.

    Of the champion, ``digest``, ``learned`` and ``part`` are those of its last snapshot that may
    serve, see ``Gate``; of the others those of what they have learned up to now. ``part`` is where
    in the state the bytes lie, ``place`` of them in what lies there (-1: they are all of it).
    ``fit_to_serve``: false where the newest trial was lost; ``unfit`` says why.
    """

    name: str
    digest: str
    learned: int
    answered: int
    loss: float | None
    failed: bool
    fit_to_serve: bool = True
    unfit: str = ""
    part: str = ""
    place: int = -1


class LearnedFacts(NamedTuple):
    """One model. ``decision`` is the last that changed the champion; None where none did."""

    model: str
    spec_version: int
    champion: str
    log_time: float
    decision: dict[str, Any] | None
    candidates: tuple[CandidateFacts, ...]
    inputs: tuple[dict[str, Any], ...]
    snapshot_seconds: float
    #: The last verdict on each candidate that has failed.
    failures: tuple[dict[str, Any], ...]

    @classmethod
    def of(cls, learner: ModelLearner, spec_version: int) -> LearnedFacts:
        championship = learner.championship
        changed = [each for each in championship.decisions if each["after"] == "promoted"]
        return cls(
            learner.spec.model,
            spec_version,
            championship.champion,
            learner.log_time,
            changed[-1] if changed else None,
            tuple(
                _candidate(each, leads=each.name == championship.champion)
                for each in learner.candidates.values()
            ),
            tuple(dict(sorted(each.items())) for each in learner.last_inputs),
            learner.spec.learning.snapshot.every_seconds,
            tuple(_failures(learner)),
        )

    def state(self) -> list[Any]:
        candidates = [list(each) for each in self.candidates]
        return [*self[:5], candidates, list(self.inputs), self[7], list(self.failures)]

    @classmethod
    def from_state(cls, state: list[Any]) -> LearnedFacts:
        made = tuple(CandidateFacts(*each) for each in state[5])
        return cls._make([*state[:5], made, tuple(state[6]), state[7], tuple(state[8])])


def _candidate(candidate: Candidate, *, leads: bool) -> CandidateFacts:
    name, gate = candidate.name, candidate.gate
    serves = leads and bool(gate.snapshot)
    return CandidateFacts(
        name,
        gate.digest if serves else candidate.digest,
        gate.learned if serves else candidate.pipeline.learned,
        candidate.answered,
        candidate.mean_loss,
        candidate.failed,
        not candidate.unfit,
        candidate.unfit,
        f"{SERVING}{name}" if serves else f"{PIPELINE}{name}",
        0 if serves else -1,
    )


def _failures(learner: ModelLearner) -> Iterator[dict[str, Any]]:
    for name, candidate in learner.candidates.items():
        verdicts = [
            each
            for each in learner.championship.decisions
            if each["challenger"] == name and each["after"] == "failed"
        ]
        if candidate.failed and verdicts:
            yield verdicts[-1]
