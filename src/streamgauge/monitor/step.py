"""One pipeline step of a model: its features, shared by all versions, so deploys mute nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from streamgauge.batch.columns import ABSENT, Column, EventBatch
from streamgauge.batch.feature_table import FeatureTable
from streamgauge.batch.lengths import length_column
from streamgauge.monitor.baseline_ratio import BaselineRatio
from streamgauge.monitor.configuration import Configuration
from streamgauge.monitor.contents import Placed, TargetCounts
from streamgauge.monitor.feature_budget import FeatureBudget
from streamgauge.monitor.number_places import NumberPlaces
from streamgauge.monitor.private_columns import private_columns
from streamgauge.monitor.ratio_spread import RatioSpread
from streamgauge.monitor.rule_columns import rule_columns
from streamgauge.monitor.target import Target
from streamgauge.monitor.unusual import Unusual
from streamgauge.references.profile import TargetReference

#: Targets that are no features of the user's. A feature so called would hide them.
OUTPUT, SCORE, LABEL, LATENCY = "output", "output.score", "output.label", "output.latency"
CONFIDENCE, MARGIN, ENTROPY = "output.confidence", "output.margin", "output.entropy"
#: The anomaly score of the inputs together.
ANOMALY = "input.anomaly"
RESERVED = frozenset({OUTPUT, SCORE, LABEL, LATENCY, CONFIDENCE, MARGIN, ENTROPY, ANOMALY})
#: Steps of one model that are monitored.
MOST_STEPS = 20
#: Features of one step that are monitored; a producer that invents names ends here.
MOST_FEATURES = 1000
#: The name under which a privacy policy speaks of all fields that it does not name.
EVERY_FIELD = "*"
#: What is watched of a text is its length, under this name.
LENGTH = "len({})"

Flags = NDArray[np.bool_]


class StepInputs(NamedTuple):
    """What a step made of a batch: its features' places, and of each rule who broke it.

    Rules give two flags an event, shape (n,): violated, applicable.
    """

    features: dict[str, Placed]
    rules: dict[str, tuple[Flags, Flags]]


def slow_states(targets: Mapping[str, Target]) -> dict[str, Any]:
    """The slow parts of those targets that have one: a new target alone changes nothing."""
    found = {name: targets[name].slow_state() for name in sorted(targets)}
    return {name: slow for name, slow in found.items() if slow is not None}


class Step:
    """The features of one step in the order in which they first came, and what is usual of them."""

    def __init__(self, name: str, configuration: Configuration, budget: FeatureBudget) -> None:
        self.name = name
        self._budget = budget
        self.targets: dict[str, Target] = {}
        self.usual: dict[str, dict[str, BaselineRatio]] = {}
        self.usual_errors = BaselineRatio()
        self.usual_rules: dict[str, BaselineRatio] = {}
        self.dropped = 0
        self.unusual = Unusual()
        self.unusual_spread = RatioSpread()
        #: Targets that are made of features, and are none.
        self._derived: set[str] = set()
        self._known: frozenset[str] = frozenset()
        self._ignored: set[str] = set()
        self._numbers = NumberPlaces()
        self._apply(None, configuration)

    def configure(
        self,
        configuration: Configuration,
        *,
        last: Mapping[str, TargetCounts],
        end: float | None,
    ) -> set[str]:
        """Take another spec; return the features whose bins or references are others now.

        What the change does not touch stays as it is. ``last`` is the newest window, which ended at
        ``end``: what it holds is the reference of features whose present was accepted.
        """
        before = self._configuration
        changed = self._apply(before, configuration)
        accepted = configuration.newly_accepted(before)
        if accepted is not None:
            for name, target in self.targets.items():
                if accepted.means(name, step=self.name):
                    target.accept(last.get(name), end=accepted.at if end is None else end)
                    # What was usual of its faults is so no more.
                    self.usual.pop(name, None)
                    changed.add(name)
        return changed

    def _apply(self, before: Configuration | None, configuration: Configuration) -> set[str]:
        self._configuration = configuration
        spec, known = configuration.spec, configuration.references(self.name)
        formerly = before.references(self.name) if before is not None else {}
        self._ignored = {name for name, feature in spec.features.items() if feature.ignore}
        self._ignored |= {n for n, rule in configuration.private_fields.items() if rule == "drop"}
        # An ignored feature keeps its place: one given back would go to whom the chunk favours.
        changed = self._ignored & self.targets.keys()
        for name, target in list(self.targets.items()):
            feature = spec.feature(name)
            retyped = feature.declared_type not in (None, target.type, target.spec.declared_type)
            # A reference that is no longer asked for must not judge on.
            if retyped or (name in formerly and name not in known):
                self.targets[name] = Target(name, feature)
                self.targets[name].born = target.born
                changed.add(name)
            else:
                target.spec = feature
        if before is None or before.profile_id != configuration.profile_id:
            changed |= self._refer(known)
        self._known = frozenset(self.targets.keys() - self._derived) | self._ignored
        return changed

    def _refer(self, known: Mapping[str, TargetReference]) -> set[str]:
        """Compare with a profile's references from now on."""
        changed = set()
        spec = self._configuration.spec
        for name, reference in known.items():
            declared = spec.feature(name).declared_type
            if name in RESERVED or name in self._ignored:
                continue
            # What the spec says wins: a profile of another type can't be compared with.
            if declared in (None, reference.type):
                if name not in self.targets:
                    self._budget.taken += 1
                    self.targets[name] = Target(name, spec.feature(name))
                self.targets[name].use(reference)
                changed.add(name)
        return changed

    def place(self, batch: EventBatch) -> StepInputs:
        """Place every feature of the step's events, in log order over all versions."""
        features, privacy = batch.features, self._configuration.privacy
        private = self._configuration.private_fields
        if privacy is not None and EVERY_FIELD in private:
            # A policy about all names must see them all; one about some costs only those.
            features, private = features.redacted(privacy.apply), {}
        # Before anything is placed: bins that come within a batch would show its cut.
        if self._configuration.spec.watch.anomaly:
            self.unusual.prepare(self._features)
        first = self._discover(features)
        for name, row in first.items():
            self.targets[name].born = int(batch.offset[row])
        watched = self._features
        names = self._configuration.rule_names
        columns = features.columns([*watched, *(names - watched.keys())])
        if privacy is not None and private:
            columns = private_columns(columns, private, privacy)
        numbers = self._numbers.place(watched, columns)
        placed = {
            name: numbers.get(name) or target.place(columns[name], first=first.get(name, 0))
            for name, target in watched.items()
        }
        self._place_lengths(features, watched, first, columns, placed)
        rules = self._ask_rules(batch, columns)
        if self._configuration.spec.watch.anomaly:
            rules |= self.unusual.observe(watched, placed, len(batch))
        return StepInputs(placed, rules)

    def _ask_rules(
        self, batch: EventBatch, columns: Mapping[str, Column]
    ) -> dict[str, tuple[Flags, Flags]]:
        configuration = self._configuration
        if not configuration.rules:
            return {}
        seen = rule_columns(batch, columns, configuration.rule_names)
        return {
            spec.name: rule.evaluate(seen, len(batch))
            for spec, rule in zip(configuration.spec.rules, configuration.rules, strict=True)
        }

    def _place_lengths(
        self,
        features: FeatureTable,
        watched: Mapping[str, Target],
        first: Mapping[str, int],
        columns: Mapping[str, Column],
        placed: dict[str, Placed],
    ) -> None:
        """Texts have no distribution worth comparing, but their lengths have."""
        for name, target in list(watched.items()):
            if target.type != "text" or name in self._derived:
                continue
            length = LENGTH.format(name)
            row = target.turned + 1
            if length in self._ignored or not self._make_room(length, row, features, first):
                continue
            column = length_column(columns[name])
            if row:
                # Up to here it was no text yet, and nothing is to be learned of its lengths.
                later = np.arange(len(features)) >= row
                column = replace(column, kind=np.where(later, column.kind, ABSENT))
            made = self.targets[length].place(column, first=row)
            # That the text is missing, or none, is told of the text itself.
            placed[length] = made._replace(missing=None, wrong_type=None)

    def _make_room(
        self, length: str, row: int, features: FeatureTable, first: Mapping[str, int]
    ) -> bool:
        """Make a text's length a target, from ``row`` on. False where its name is a feature's."""
        if length in self._derived:
            return True
        if length in self.targets:
            if first.get(length, 0) < row or not row:
                return False
            # The user's own came behind: it would have been refused.
            self.dropped += features.part(first[length], len(features)).values_of({length})
            self._known -= {length}
            self._budget.taken -= 1
        # It shares the place of its text, which itself has nothing to keep.
        self.targets[length] = Target(length, self._configuration.spec.feature(length))
        self.targets[length].type = "numeric"
        self._derived.add(length)
        self._order()
        return True

    @property
    def watched(self) -> dict[str, Target]:
        """The features that are not ignored, by name."""
        if not self._ignored:
            return self.targets
        return {name: t for name, t in self.targets.items() if name not in self._ignored}

    @property
    def _features(self) -> dict[str, Target]:
        """The watched targets that are features of the user's."""
        if not self._derived:
            return self.watched
        return {name: t for name, t in self.watched.items() if name not in self._derived}

    def _order(self) -> None:
        """Derived targets stand behind the features: when a text was found out, nobody sees."""
        derived = sorted(self._derived & self.targets.keys())
        features = {name: t for name, t in self.targets.items() if name not in self._derived}
        self.targets = features | {name: self.targets[name] for name in derived}

    def first(self, n: int) -> Mapping[str, Target]:
        """The ``n`` targets that came first; a text and its length are one of them."""
        if len(self.targets) <= n:
            return self.targets
        names = [name for name in self.targets if name not in self._derived][:n]
        lengths = self._derived & {LENGTH.format(name) for name in names}
        return {name: self.targets[name] for name in (*names, *sorted(lengths))}

    @property
    def _full(self) -> bool:
        return len(self.targets) - len(self._derived) >= MOST_FEATURES

    def _discover(self, features: FeatureTable) -> dict[str, int]:
        """Make a target of every new name; return the row at which each came first.

        Rows before that do not count as missing it, or the cut of a chunk would show.
        """
        first: dict[str, int] = {}
        refused: set[str] = set()
        for name, row in features.first_rows(self._known).items():
            hidden = name in RESERVED or name in self._derived
            if hidden or self._full or not self._budget.take():
                refused.add(name)
                continue
            self.targets[name] = Target(name, self._configuration.spec.feature(name))
            first[name] = row
        if first and self._derived:
            self._order()
        self._known |= first.keys()
        if refused:
            self.dropped += features.values_of(refused)
        return first

    def knows(self, features: FeatureTable) -> bool:
        """Whether there is no feature among them that did not come before."""
        return not features.first_rows(self._known)

    def unknown(self, features: FeatureTable) -> int:
        """How many names are new to this step and would find room in it."""
        fresh = len(features.first_rows(self._known | RESERVED | self._derived))
        return min(fresh, max(MOST_FEATURES - len(self.targets) + len(self._derived), 0))

    def usual_of(self, target: str) -> dict[str, BaselineRatio]:
        return self.usual.setdefault(target, {})

    def state(self) -> list[Any]:
        return [
            [[name, target.state()] for name, target in self.targets.items()],
            {
                target: {rule: usual.state() for rule, usual in sorted(rules.items())}
                for target, rules in sorted(self.usual.items())
            },
            self.usual_errors.state(),
            self.dropped,
            sorted(self._derived),
            {rule: usual.state() for rule, usual in sorted(self.usual_rules.items())},
            self.unusual.state(),
            self.unusual_spread.state(),
        ]

    def slow_state(self) -> dict[str, Any]:
        """The part of the state that changes by the hour."""
        return slow_states(self.targets)

    @classmethod
    def from_state(
        cls,
        name: str,
        configuration: Configuration,
        budget: FeatureBudget,
        state: list[Any],
        slow: Mapping[str, Any],
    ) -> Step:
        made = cls(name, configuration, FeatureBudget())
        made._budget = budget
        targets, usual, errors, made.dropped, derived, rules, unusual, spread = state
        made.unusual = Unusual.from_state(unusual)
        made.unusual_spread = RatioSpread.from_state(spread)
        made.usual_errors = BaselineRatio.from_state(errors)
        made.usual_rules = {rule: BaselineRatio.from_state(each) for rule, each in rules.items()}
        made.targets = {
            key: Target.from_state(key, configuration.spec.feature(key), each, slow.get(key))
            for key, each in targets
        }
        made.usual = {
            target: {rule: BaselineRatio.from_state(each) for rule, each in rules.items()}
            for target, rules in usual.items()
        }
        made._derived = set(derived)
        made._known = frozenset(made.targets.keys() - made._derived) | made._ignored
        budget.taken += len(made.targets) - len(made._derived)
        return made
