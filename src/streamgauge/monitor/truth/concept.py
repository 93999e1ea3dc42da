"""Concept drift: whether a model errs more than it used to, told by windows and by detectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from streamgauge.alarms.finding import Finding
from streamgauge.detectors import Detector, create_for_errors
from streamgauge.monitor.baseline_ratio import BaselineRatio
from streamgauge.monitor.judge import fault
from streamgauge.monitor.ratio_spread import RatioSpread
from streamgauge.monitor.truth.scored import Floats

#: An error ratio must rise by this much to be worth a word, and by this share of what is usual.
LEAST_RISE = 0.02
LEAST_FACTOR = 0.25
#: Chance that an ordinary window bears a detection out: detectors know nothing of how much windows
#: differ when nothing is wrong.
BORNE_OUT = 0.01
#: Windows in a row as usual after which nothing is heard any more.
CALM = 2
MOST_HELD = 50
#: Detections that are remembered with their time.
REMEMBERED = 5

Wanted = Sequence[tuple[str, Mapping[str, float]]]


#: What listens to errors, of any task, where the spec names nothing. ADWIN dates the change and
#: HDDM-A is early; both have bounds on false alarms (detectors with fewer false alarms than one in
#: ten thousand errors are no default).
DEFAULT_DETECTORS: Wanted = (("adwin", {}), ("hddm_a", {}))


class ConceptWatch:
    """The errors of one (version, step) in prediction order, and what is usual of them.

    A detector alone raises no alarm: its detection must show as a window whose error ratio is
    above what is usual by an effect that matters. It dates the change.
    """

    def __init__(self) -> None:
        self.usual = BaselineRatio()
        self.spread = RatioSpread()
        self.detectors: dict[str, tuple[dict[str, float], Detector]] = {}
        #: Times of detections by detector, the newest last, and how many there were.
        self.times: dict[str, list[float]] = {}
        self.totals: dict[str, int] = {}
        #: Detectors that heard a rise in this window, or whose rise has not gone since.
        self.risen: set[str] = set()
        #: Windows in a row that did not bear it out, and the shares of those meanwhile that were
        #: higher than usual: what they are, a spell or the change, shows when it ends.
        self._calm = 0
        self._held: list[float] = []

    def feed(self, errors: Floats, times: Floats, wanted: Wanted) -> None:
        """Take errors (n,) in prediction order, and the event times (n,) of their predictions."""
        if not len(errors):
            return
        for name, params in wanted:
            known = self.detectors.get(name)
            if known is None or known[0] != params:
                known = self.detectors[name] = (dict(params), create_for_errors(name, **params))
            for detection in known[1].detect_many(errors):
                at = float(times[detection.index])
                self.times[name] = [*self.times.get(name, []), at][-REMEMBERED:]
                self.totals[name] = self.totals.get(name, 0) + 1
                self.risen.add(name)

    def judge(
        self,
        errors: int,
        n: int,
        *,
        end: float,
        alpha: float,
        settles_after: float,
        needed: int,
    ) -> list[Finding]:
        """Judge a window of ``n`` labelled predictions; an ordinary one becomes usual.

        ``end`` is the window's, in seconds; ``settles_after`` is how long usual is learned.
        """
        if not n:
            return [Finding("errors", "concept_drift", "error_ratio", "no_data", needed=needed)]
        value = errors / n
        usual = self.usual.ratio
        if not self.usual.believed:
            found = Finding(
                "errors",
                "concept_drift",
                "error_ratio",
                "warming",
                value=value,
                n=n,
                needed=needed,
                reason=f"learning what is usual: {self.usual.seen} labels",
            )
            self.usual.add(errors, n, at=end, settles_after=settles_after)
            self.spread.add(value)
            self.risen.clear()
            return [found]
        rise = max(LEAST_RISE, LEAST_FACTOR * usual)
        threshold = max(
            self.usual.threshold(n, least_rise=rise), self.spread.threshold(alpha=alpha)
        )
        by_window = fault(
            "errors", "error_ratio", value, threshold, n=n, before=usual, kind="concept_drift"
        )
        # Errors that come in hours and moods are heard as changes, again and again.
        level = max(usual + rise, self.spread.threshold(alpha=BORNE_OUT))
        found_all = [by_window, *self._heard(value, min(level, threshold), n, usual)]
        if not any(each.exceeds for each in found_all):
            self.usual.add(errors, n, at=end, settles_after=settles_after)
            if self.risen and value > usual + rise:
                self._held = [*self._held, value][-MOST_HELD:]
            else:
                self.spread.add(value)
        self._calm = self._calm + 1 if value <= usual + rise else 0
        if self._calm >= CALM:
            # What was heard is over, or was nothing: one of those spells that are usual.
            for each in self._held if self.risen else ():
                self.spread.add(each)
            self.risen.clear()
            self._held = []
        return found_all

    def _heard(self, value: float, threshold: float, n: int, usual: float) -> list[Finding]:
        """What detectors heard, where the window's errors bear them out."""
        found = []
        for name in sorted(self.detectors):
            # One that heard nothing is well, and says so: else an alarm would wait for its word.
            level = value if name in self.risen else min(value, threshold)
            found.append(
                fault("errors", name, level, threshold, n=n, before=usual, kind="concept_drift")
            )
        return found

    def state(self) -> list[Any]:
        detectors = {
            name: [params, detector.state()]
            for name, (params, detector) in sorted(self.detectors.items())
        }
        return [
            self.usual.state(),
            self.spread.state(),
            detectors,
            dict(sorted(self.times.items())),
            dict(sorted(self.totals.items())),
            sorted(self.risen),
            [self._calm, self._held],
        ]

    @classmethod
    def from_state(cls, state: list[Any]) -> ConceptWatch:
        made = cls()
        usual, spread, detectors, made.times, made.totals, risen, waiting = state
        made._calm, made._held = waiting[0], list(waiting[1])
        made.usual, made.spread = BaselineRatio.from_state(usual), RatioSpread.from_state(spread)
        for name, (params, inside) in detectors.items():
            detector = create_for_errors(name, **params)
            detector.restore(inside)
            made.detectors[name] = (params, detector)
        made.risen = set(risen)
        return made
