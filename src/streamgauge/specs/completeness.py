"""How much of a project its spec tells: a score against the checklist of scoping."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from streamgauge.specs.criteria import every_criterion
from streamgauge.specs.model_spec import ModelSpec


class Score(NamedTuple):
    """Points that a spec has, and what the missing ones are called."""

    points: int
    of: int
    missing: tuple[str, ...]

    def sentence(self) -> str:
        """The score on one line.

        >>> Score(17, 19, ("baselines", "milestones")).sentence()
        '17 of 19 points: missing baselines, milestones'
        """
        text = f"{self.points} of {self.of} points"
        return f"{text}: missing {', '.join(self.missing)}" if self.missing else text


def _said(*keys: str) -> Callable[[ModelSpec], bool]:
    return lambda spec: bool(spec.model_fields_set & set(keys))


#: What a project should have said before it runs, in the checklist's order.
POINTS: tuple[tuple[str, Callable[[ModelSpec], bool]], ...] = (
    ("objective", lambda s: bool(s.project.objective)),
    ("problem", lambda s: bool(s.project.problem.business and s.project.problem.ml_task)),
    ("inputs and targets", lambda s: bool(s.project.inputs and s.project.targets)),
    ("use cases and non-goals", lambda s: bool(s.project.use_cases and s.project.non_goals)),
    ("service levels (slo)", lambda s: bool(s.slo.model_fields_set)),
    ("privacy", lambda s: bool(s.privacy)),
    ("milestones", lambda s: bool(s.project.milestones)),
    ("owners", lambda s: bool(s.owners)),
    ("risks", lambda s: bool(s.risks)),
    ("acceptance", lambda s: bool(s.project.acceptance)),
    ("criteria agreed by somebody", lambda s: any(c.agreed_by for c in s.criteria)),
    ("approach", lambda s: s.project.approach is not None),
    ("serving", lambda s: s.serving.mode is not None),
    ("compute limits", lambda s: bool(s.compute.model_fields_set)),
    ("approvals or safety", lambda s: bool(s.approvals or s.project.safety)),
    ("operating envelope", lambda s: bool(s.operating_envelope.factors)),
    ("label access and delay", lambda s: bool(s.labels.access) and _said("label_delay")(s)),
    ("learning", _said("learning")),
    ("baselines", lambda s: bool(s.baselines)),
    ("evaluation metrics", lambda s: any(c.kind == "ml" for c in every_criterion(s))),
    ("automation level", lambda s: s.automation_level is not None),
)


def score(spec: ModelSpec) -> Score:
    """Count the points that a spec has."""
    missing = tuple(name for name, has in POINTS if not has(spec))
    return Score(len(POINTS) - len(missing), len(POINTS), missing)
