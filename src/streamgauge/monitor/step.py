"""One pipeline step of a model: its features, shared by all versions, so deploys mute nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from streamgauge.batch.columns import feature_columns
from streamgauge.monitor.configuration import Configuration
from streamgauge.monitor.contents import Placed
from streamgauge.monitor.room import Room
from streamgauge.monitor.target import Target
from streamgauge.monitor.usual import Usual

#: Targets that are no features of the user's. A feature so called would hide them.
OUTPUT, SCORE, LABEL, LATENCY = "output", "output.score", "output.label", "output.latency"
RESERVED = frozenset({OUTPUT, SCORE, LABEL, LATENCY})
#: Features of one step that are monitored; a producer that invents names ends here.
MOST_FEATURES = 1000


class Step:
    """The features of one step in the order in which they first came, and what is usual of them."""

    def __init__(self, name: str, configuration: Configuration, room: Room) -> None:
        self.name = name
        self._room = room
        self.targets: dict[str, Target] = {}
        self.usual: dict[str, dict[str, Usual]] = {}
        self.dropped = 0
        self._known: frozenset[str] = frozenset()
        self.configure(configuration)

    def configure(self, configuration: Configuration) -> None:
        """Take another spec; a profile replaces the references of its features."""
        spec, profile = configuration.spec, configuration.profile
        fits = profile is not None and profile.step == self.name
        for name, target in self.targets.items():
            target.spec = spec.feature(name)
        self._ignored = {name for name, feature in spec.features.items() if feature.ignore}
        if fits and profile is not None:
            for name, reference in profile.targets.items():
                declared = spec.feature(name).declared_type
                if name in RESERVED or name in self._ignored:
                    continue
                # What the spec says wins: a profile of another type can't be compared with.
                if declared in (None, reference.type):
                    if name not in self.targets:
                        self._room.taken += 1
                        self.targets[name] = Target(name, spec.feature(name))
                    self.targets[name].use(reference)
        for name in self._ignored & self.targets.keys():
            del self.targets[name]
            self._room.taken -= 1
        self._configuration = configuration
        self._known = frozenset(self.targets) | self._ignored

    def place(self, features: list[dict[str, Any]]) -> dict[str, Placed]:
        """Place every feature of the step's events, in log order over all versions."""
        first = self._discover(features)
        columns = feature_columns(features, list(self.targets))
        return {
            name: target.place(columns[name], first=first.get(name, 0))
            for name, target in self.targets.items()
        }

    def _discover(self, features: Sequence[Mapping[str, Any]]) -> dict[str, int]:
        """Make a target of every new name; return the row at which each came first.

        Rows before that do not count as missing it, or the cut of a chunk would show.
        """
        first: dict[str, int] = {}
        if set().union(*features) <= self._known:
            return first
        for row, event in enumerate(features):
            for name in [name for name in event if name not in self._known]:
                full = len(self.targets) >= MOST_FEATURES
                if full or name in RESERVED or not self._room.take():
                    self.dropped += 1
                    continue
                self.targets[name] = Target(name, self._configuration.spec.feature(name))
                self._known |= {name}
                first[name] = row
        return first

    def unknown(self, features: Sequence[Mapping[str, Any]]) -> int:
        """How many names are new to this step."""
        return len(set().union(*features) - self._known)

    def usual_of(self, target: str) -> dict[str, Usual]:
        return self.usual.setdefault(target, {})

    def state(self) -> list[Any]:
        return [
            [[name, target.state()] for name, target in self.targets.items()],
            {
                target: {rule: usual.state() for rule, usual in sorted(rules.items())}
                for target, rules in sorted(self.usual.items())
            },
            self.dropped,
        ]

    @classmethod
    def from_state(
        cls, name: str, configuration: Configuration, room: Room, state: list[Any]
    ) -> Step:
        made = cls(name, configuration, Room())
        made._room = room
        targets, usual, made.dropped = state
        made.targets = {
            key: Target.from_state(key, configuration.spec.feature(key), each)
            for key, each in targets
        }
        made.usual = {
            target: {rule: Usual.from_state(each) for rule, each in rules.items()}
            for target, rules in usual.items()
        }
        made._known = frozenset(made.targets) | made._ignored
        room.taken += len(made.targets)
        return made
