"""A pipeline of a spec: features in, an answer out, and one example learned at a time."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

from streamgauge.pipelines.canonical import canonical_bytes
from streamgauge.pipelines.classes import Classes
from streamgauge.pipelines.encoding import ENCODINGS
from streamgauge.pipelines.estimators import create, estimator
from streamgauge.pipelines.imbalance import IMBALANCES, Sampler
from streamgauge.pipelines.inputs import Features, Inputs, Kind
from streamgauge.pipelines.scaling import LARGEST, SCALINGS, Row, as_number
from streamgauge.pipelines.step_limit import StepLimit
from streamgauge.plugins import PluginError, did_you_mean

_FORMAT = 1
_INTERRUPTS = (KeyboardInterrupt, SystemExit, MemoryError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a pipeline is made of: everything that is known before the first example.

    ``clip`` is in standard deviations, 0 for none; ``max_step`` bounds the change of a weight by
    one example, 0 for none. ``desired`` are shares by label, ``classes`` labels known beforehand.
    """

    estimator: str
    task: str
    parameters: Mapping[str, object] = field(default_factory=dict)
    scaling: str = "standard"
    encoding: str = "one_hot"
    imbalance: str = "none"
    desired: Mapping[str, float] = field(default_factory=dict)
    features: tuple[str, ...] | None = None
    never: tuple[str, ...] = ()
    kinds: Mapping[str, Kind] = field(default_factory=dict)
    classes: tuple[str, ...] = ()
    clip: float = 0.0
    max_step: float = 0.0
    seed: int = 1


class Classified(NamedTuple):
    """A classifier's answer: the label, its score, and the scores of all classes by label."""

    label: str
    score: float
    scores: dict[str, float]


Answer = Classified | float


class _NotFinite(ValueError):
    """An answer that nobody may see."""


class Pipeline:
    """Scaling, encoding, an estimator: predicts, and learns one example at a time.

    Answers are finite. A pipeline that would answer otherwise, or whose estimator fails, is
    ``broken``: it answers nothing and learns nothing from then on. One that was ``stopped`` answers
    and learns no more.

    Parameters
    ----------
    plan
        What it is made of. Raises ``PluginError`` for names and parameters that there are not.

    Examples
    --------
    >>> pipeline = Pipeline(Plan(estimator="logistic_regression", task="binary"))
    >>> for amount in range(100):
    ...     _ = pipeline.learn({"amount": float(amount)}, amount > 50)
    >>> pipeline.predict({"amount": 90.0}).label
    'true'
    """

    def __init__(self, plan: Plan) -> None:
        for what, word, known in (
            ("scaling", plan.scaling, SCALINGS),
            ("encoding", plan.encoding, ENCODINGS),
            ("imbalance", plan.imbalance, IMBALANCES),
        ):
            if word not in known:
                there = ", ".join(known)
                raise PluginError(
                    f"no {what} is called {word!r}{did_you_mean(word, known)} (there are: {there})"
                )
        self._estimator = create(
            plan.estimator, task=plan.task, parameters=plan.parameters, seed=plan.seed
        )
        if problem := misfit(plan.task, plan.encoding, plan.imbalance):
            raise PluginError(problem)
        self.plan = plan
        #: Why it answers and learns no more; empty while all is well.
        self.broken = ""
        #: Why it learns no more; empty while it does.
        self.stopped = ""
        #: Examples learned.
        self.learned = 0
        self._inputs = _inputs(plan)
        self._classes: Classes | None = None
        desired: dict[int, float] = {}
        if plan.task != "regression":
            self._classes = Classes(binary=plan.task == "binary")
            # Sorted: a spec that lists the same in another order is the same model.
            for label in (*plan.classes, *sorted(plan.desired)):
                code = self._classes.learn(label)
                if code is not None and label in plan.desired:
                    desired[code] = plan.desired[label]
        self._sampler: Sampler | None = None
        if plan.imbalance != "none":
            self._sampler = Sampler(plan.imbalance, desired=desired, seed=plan.seed)
        self._prepare()

    def _prepare(self) -> None:
        """What follows from the rest and is in no state."""
        entry = estimator(self.plan.estimator)
        self._weighted = entry.weighted
        self._step_limit = None
        if self.plan.max_step and entry.linear:
            self._step_limit = StepLimit(self._estimator, self.plan.max_step)
        self._labels: dict[int, str] = {}
        self._known = 0
        if self._classes is not None:
            self._labels, self._known = self._classes.labels(), len(self._classes)

    @property
    def halted(self) -> str:
        """Why it learns no more, whatever the reason; empty while it does."""
        return self.broken or self.stopped

    def predict(self, features: Features) -> Answer | None:
        """The answer for an event's features; None where there is none.

        It changes nothing but ``broken`` where the answer is not finite; River's forests set
        themselves up when they are first asked.
        """
        if self.broken:
            return None
        try:
            return self._answer(features)
        except _INTERRUPTS:
            raise
        except BaseException as error:
            # River's core panics, and a panic is no Exception.
            self._break(_why_not(error))
            return None

    def predict_one(self, features: Features) -> str | float | None:
        """River's name for the label or the number alone; None where there is no answer.

        For those who serve: unlike ``predict`` it changes nothing. One request that can't be
        answered must not silence the model for all others.
        """
        found = self._asked(features)
        return found.label if isinstance(found, Classified) else found

    def predict_proba_one(self, features: Features) -> dict[str, float]:
        """River's name for the scores by label; empty where there is no answer.

        It changes nothing, as ``predict_one``. Raises ``NotImplementedError`` for regression.
        """
        if self._classes is None:
            raise NotImplementedError(f"{self.plan.estimator} answers numbers; use predict_one")
        found = self._asked(features)
        return dict(found.scores) if isinstance(found, Classified) else {}

    def _asked(self, features: Features) -> Answer | None:
        if self.broken:
            return None
        try:
            return self._answer(features)
        except _INTERRUPTS:
            raise
        except BaseException:
            return None

    def _answer(self, features: Features) -> Answer | None:
        row = self._inputs.row(features)
        if self._classes is None:
            return _number(self._estimator.predict_one(row))
        return self._class(self._estimator.predict_proba_one(row))

    def learn(self, features: Features, truth: object, weight: float = 1.0) -> str:
        """Learn one example; return why it was not learned, empty where it was.

        ``weight`` is how many examples it stands for; estimators that take no weights learn it
        once. Never raises for a bad truth or weight.
        """
        if self.broken or self.stopped:
            return self.halted
        if not 0.0 < weight <= LARGEST:
            return "weight is not above 0"
        target: Any
        if self._classes is None:
            target = None if isinstance(truth, bool) else as_number(truth)
            if target is None:
                return "truth is no finite number"
        else:
            target = self._classes.learn(truth)
            if target is None:
                return "truth is no class, or one too many"
            if len(self._classes) != self._known:
                self._known = len(self._classes)
                self._labels = self._classes.labels()
        try:
            row = self._inputs.learn(features, float(target))
            if self._sampler is None:
                self._learn_row(row, target, weight)
            else:
                for each, label in self._sampler.sample(row, target, self._loss):
                    self._learn_row(each, label, weight)
        except _INTERRUPTS:
            raise
        except BaseException as error:
            self._break(f"learning failed: {_said(error)}")
            return self.broken
        self.learned += 1
        return ""

    def stop(self, reason: str) -> None:
        """Learn no more, and go on answering."""
        self.stopped = self.stopped or reason

    def _learn_row(self, row: Row, target: Any, weight: float) -> None:
        learn = self._estimator.learn_one
        if self._step_limit is not None:
            learn = self._step_limit.learn_one
        if weight == 1.0 or not self._weighted:
            learn(row, target)
        else:
            learn(row, target, w=weight)

    def _loss(self, row: Row, target: Any) -> float:
        if self._classes is None:
            return abs(float(self._estimator.predict_one(row) or 0.0) - float(target))
        return 1.0 - float((self._estimator.predict_proba_one(row) or {}).get(target, 0.0))

    def _class(self, scores: Mapping[int, float]) -> Classified | None:
        if not scores:
            return None
        labels = self._labels
        named = {labels[code]: float(score) for code, score in scores.items()}
        if not math.isfinite(sum(named.values())):
            raise _NotFinite("it answered scores that are not finite")
        best = max(named, key=named.__getitem__)
        return Classified(best, named[best], named)

    def _break(self, reason: str) -> None:
        self.broken = reason

    def state(self) -> dict[str, Any]:
        """Plain values and the River object. One ``canonical_bytes`` must hold all of them.

        The texts in it are shared with the River object, and stay so only within one pickle.
        """
        return {
            "format": _FORMAT,
            "plan": json.dumps(asdict(self.plan), sort_keys=True),
            "broken": self.broken,
            "stopped": self.stopped,
            "learned": self.learned,
            "inputs": self._inputs.state(),
            "classes": None if self._classes is None else self._classes.state(),
            "sampler": None if self._sampler is None else self._sampler.state(),
            "estimator": self._estimator,
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Pipeline:
        """What ``state`` described. It takes the state over: use it for nothing else.

        Raises ``ValueError`` for a state of another version, and for one that its own plan does
        not lead to.
        """
        if state.get("format") != _FORMAT:
            raise ValueError(
                f"the model's state has format {state.get('format')!r}, but this version reads "
                f"{_FORMAT}: start afresh, or go back to the version that wrote it"
            )
        plan = json.loads(state["plan"])
        for name in ("features", "never", "classes"):
            plan[name] = None if plan[name] is None else tuple(plan[name])
        # Made as a new one would be: so what a plan may not say can't come in by a state either.
        made = cls(Plan(**plan))
        if type(state["estimator"]) is not type(made._estimator):
            raise ValueError(
                f"the model's state holds a {type(state['estimator']).__name__}, not a"
                f" {plan['estimator']}"
            )
        made.broken, made.stopped = state["broken"], state["stopped"]
        made.learned = state["learned"]
        made._inputs.restore(state["inputs"])
        classes, sampler = state["classes"], state["sampler"]
        made._classes = None if classes is None else Classes.from_state(classes)
        made._sampler = None if sampler is None else Sampler.from_state(sampler)
        made._estimator = state["estimator"]
        made._prepare()
        return made

    def to_bytes(self) -> bytes:
        """The state as bytes, the same for the same log."""
        return canonical_bytes(self.state())

    def size(self) -> int:
        """Bytes that it takes in the store; in memory it takes 5 to 25 times as much."""
        return len(self.to_bytes())


def _inputs(plan: Plan) -> Inputs:
    return Inputs(
        scaling=plan.scaling,
        encoding=plan.encoding,
        sparse=estimator(plan.estimator).sparse,
        clip=plan.clip,
        kinds=plan.kinds,
        only=plan.features,
        never=plan.never,
    )


def misfit(task: str, encoding: str, imbalance: str) -> str:
    """What does not go together, in words; empty where all does."""
    if task == "multiclass" and encoding == "target":
        return "encoding target is for binary and regression; use one_hot or ordinal"
    if task == "regression" and imbalance in ("under_sampling", "over_sampling"):
        return f"imbalance {imbalance} is for classes; use hard_sampling or none"
    return ""


def _number(value: Any) -> float | None:
    if value is None:
        return None
    number = float(value)
    if not math.isfinite(number):
        raise _NotFinite(f"it answered {number}")
    return number


def _why_not(error: BaseException) -> str:
    return str(error) if isinstance(error, _NotFinite) else f"predicting failed: {_said(error)}"


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:300]
