"""From findings to edges: two of three windows, one cause one alarm, each with a named reason."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from streamgauge.alarms.finding import Finding, Span

#: A target speaks when this many of its last ``MEMORY`` windows exceed.
ENOUGH = 2
MEMORY = 3
#: It falls silent after this many windows below.
CALM = 2
#: The reason of an alarm that ends because its versions no longer predict.
GONE = "what was judged no longer comes"
#: How the reason begins of an alarm that ends because somebody said that it is right so.
ACCEPTED = "accepted by "
#: It is forgotten after this many of its own windows without a judgement.
PATIENCE = 10


@dataclass(slots=True)
class TargetTrack:
    """What one target of one version did in its last windows."""

    recent: list[bool] = field(default_factory=list)
    active: bool = False
    since: float = 0.0
    last_seen: float = 0.0
    affected: int = 0
    length: float = 0.0
    first_offset: int = -1

    def take(self, *, exceeds: bool, span: Span) -> None:
        if exceeds:
            # Only windows that still count are part of the onset.
            if not any(self.recent[1 - MEMORY :]):
                self.since, self.affected = span.start, 0
                self.first_offset = span.first_offset
            self.affected += span.n
        self.recent = [*self.recent, exceeds][-MEMORY:]
        self.last_seen, self.length = span.end, span.end - span.start
        if sum(self.recent) >= ENOUGH:
            self.active = True
        elif self.active and len(self.recent) >= CALM and not any(self.recent[-CALM:]):
            self.active = False
            self.recent = []


@dataclass(slots=True)
class AlarmTrack:
    """One alarm: its targets, and whether it fires."""

    targets: dict[str, TargetTrack] = field(default_factory=dict)
    firing: bool = False
    since: float = 0.0
    lead: str = ""

    def plain(self) -> list[Any]:
        targets = {
            key: [t.recent, t.active, t.since, t.last_seen, t.affected, t.length, t.first_offset]
            for key, t in sorted(self.targets.items())
        }
        return [targets, self.firing, self.since, self.lead]

    @classmethod
    def from_plain(cls, plain: list[Any]) -> AlarmTrack:
        targets, firing, since, lead = plain
        return cls({key: TargetTrack(*each) for key, each in targets.items()}, firing, since, lead)


@dataclass(frozen=True, slots=True)
class Edge:
    """An alarm begins or ends. ``reason`` names why now; ``findings`` are worst first."""

    status: Literal["firing", "resolved"]
    kind: str
    step: str
    span: Span
    reason: str
    since: float
    lead: str
    affected: int
    findings: tuple[Finding, ...] = ()
    #: Offset of the first event of the onset; -1 where it is not known.
    first_offset: int = -1


class AlarmPolicy:
    """The alarms of one model, by (kind, step): features and versions are evidence inside.

    A pure function of the findings in the order in which windows close.
    """

    def __init__(self) -> None:
        self._alarms: dict[tuple[str, str], AlarmTrack] = {}

    def judge(self, kind: str, span: Span, findings: Sequence[Finding]) -> Edge | None:
        """Take one window's findings of one kind; return the edge that they make, if any."""
        track = self._alarms.get((kind, span.step))
        if track is None:
            if not any(finding.exceeds for finding in findings):
                return None
            track = self._alarms[(kind, span.step)] = AlarmTrack()
        worst = sorted(findings, key=lambda f: (-(f.severity or 0.0), f.target, f.rule))
        for finding in worst:
            key = _key(span.version, finding)
            if finding.state in ("ok", "exceeding", "inhibited"):
                target = track.targets.get(key)
                if target is None:
                    if not finding.exceeds:
                        continue
                    target = track.targets[key] = TargetTrack()
                target.take(exceeds=finding.exceeds, span=span)
        gone = self._forget(track, span)
        active = {key: t for key, t in track.targets.items() if t.active}
        if active and not track.firing:
            exceeding = tuple(finding for finding in worst if finding.exceeds)
            track.firing = True
            track.since = min(t.since for t in active.values())
            track.lead = exceeding[0].target
            onset = min(active.values(), key=lambda t: t.since)
            return Edge(
                "firing",
                kind,
                span.step,
                span,
                f"{ENOUGH} of the last {MEMORY} windows exceed the threshold",
                track.since,
                track.lead,
                max(t.affected for t in active.values()),
                exceeding,
                onset.first_offset,
            )
        if track.firing and not active:
            since, lead = track.since, track.lead
            del self._alarms[(kind, span.step)]
            calm = f"{CALM} windows below the threshold"
            reason = GONE if gone else calm
            return Edge("resolved", kind, span.step, span, reason, since, lead, 0)
        if not track.firing and not any(any(t.recent) for t in track.targets.values()):
            del self._alarms[(kind, span.step)]
        return None

    def end(self, kind: str, span: Span) -> Edge | None:
        """Let go of a kind that is judged no more; return the edge of the alarm that it ends."""
        track = self._alarms.pop((kind, span.step), None)
        if track is None or not track.firing:
            return None
        return Edge("resolved", kind, span.step, span, GONE, track.since, track.lead, 0)

    def accept(
        self, span: Span, targets: Collection[str], versions: Collection[str], *, by: str
    ) -> list[Edge]:
        """Forget what targets of a step did, since ``by`` said that it is right so.

        Returns the edges of the alarms that end by it: those in which nothing else is wrong.
        """
        edges = []
        prefixes = tuple(f"{version}\n{target}\n" for version in versions for target in targets)
        for (kind, step), track in sorted(self._alarms.items()):
            if step != span.step or kind == "feedback":
                continue
            for key in [key for key in track.targets if key.startswith(prefixes)]:
                del track.targets[key]
            if any(target.active for target in track.targets.values()):
                continue
            if track.firing:
                since, lead = track.since, track.lead
                edges.append(Edge("resolved", kind, step, span, ACCEPTED + by, since, lead, 0))
            if track.firing or not track.targets:
                del self._alarms[kind, step]
        return edges

    def is_active(self, kind: str, step: str, version: str, target: str) -> bool:
        """Whether a target of a version is part of a firing alarm of that kind."""
        track = self._alarms.get((kind, step))
        if track is None or not track.firing:
            return False
        prefix = f"{version}\n{target}\n"
        return any(t.active and key.startswith(prefix) for key, t in track.targets.items())

    def is_firing(self, step: str, *, but: str = "") -> bool:
        """Whether any alarm of a step is open, of another kind than ``but``."""
        return any(
            track.firing for (kind, s), track in self._alarms.items() if s == step and kind != but
        )

    def moves(self, step: str) -> bool:
        """Whether anything of a step exceeded in its last windows, alarm or not."""
        return any(
            track.firing or any(any(target.recent) for target in track.targets.values())
            for (_, of), track in self._alarms.items()
            if of == step
        )

    def state(self) -> list[Any]:
        return [[*key, track.plain()] for key, track in sorted(self._alarms.items())]

    def restore(self, state: list[Any]) -> None:
        self._alarms = {(k, s): AlarmTrack.from_plain(plain) for k, s, plain in state}

    @staticmethod
    def _forget(track: AlarmTrack, span: Span) -> bool:
        """Drop targets of versions that no longer predict: nothing would ever clear them.

        Tells whether one of them was active. Each has the patience of its own windows: hard rules
        judge far more often than distances do.
        """
        gone = False
        for key, target in list(track.targets.items()):
            if target.last_seen < span.start - PATIENCE * max(target.length, 1.0):
                gone |= target.active
                del track.targets[key]
        return gone


def _key(version: str, finding: Finding) -> str:
    return f"{version}\n{finding.target}\n{finding.rule}"
