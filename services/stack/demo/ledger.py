"""The alarms of the demo, as they come from the topic, and what they add up to."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from streamgauge_client.events import AlarmEvent, ModelEvent

#: Kinds that are about one or more features.
_ABOUT_FEATURES = ("feature_drift", "data_quality")


@dataclass(slots=True)
class Ledger:
    """Counts alarms by what the demo promises of them.

    ``arrived`` and ``fault_at`` are in seconds since 1970.
    """

    model: str
    quiet_model: str
    fired: int = 0
    resolved: int = 0
    alarms_before_fault: int = 0
    quiet_model_alarms: int = 0
    first_feature: str | None = None
    seconds_to_alarm: float | None = None
    #: From the change of the concept to its alarm, and to the promotion that answers it.
    concept_alarm_s: float | None = None
    promoted_s: float | None = None
    firing: Counter[str] = field(default_factory=Counter)
    about_inputs: set[str] = field(default_factory=set)

    def enter(
        self,
        alarm: AlarmEvent,
        *,
        arrived: float,
        fault_at: float | None,
        concept_at: float | None = None,
    ) -> None:
        """Take one edge of an alarm of the demo's models; others are not ours to count."""
        if alarm.model not in (self.model, self.quiet_model):
            return
        if alarm.status == "resolved":
            self.resolved += 1
            self.firing[alarm.fingerprint] -= 1
            return
        if alarm.status != "firing":
            return
        self.fired += 1
        if alarm.kind == "concept_drift" and concept_at is not None and not self.concept_alarm_s:
            self.concept_alarm_s = arrived - concept_at
        self.firing[alarm.fingerprint] += 1
        if alarm.kind in _ABOUT_FEATURES:
            self.about_inputs.add(alarm.fingerprint)
        if alarm.model == self.quiet_model:
            self.quiet_model_alarms += 1
        elif fault_at is None:
            self.alarms_before_fault += 1
        else:
            if self.seconds_to_alarm is None:
                self.seconds_to_alarm = arrived - fault_at
            if self.first_feature is None and alarm.kind in _ABOUT_FEATURES:
                self.first_feature = alarm.feature

    def promoted(self, arrived: float, *, concept_at: float | None) -> None:
        """Take a promotion of the challenger."""
        if concept_at is not None and self.promoted_s is None:
            self.promoted_s = arrived - concept_at

    @property
    def inputs_fine(self) -> bool:
        """Whether no alarm on inputs is open."""
        return not any(self.firing[each] > 0 for each in self.about_inputs)

    @property
    def open(self) -> int:
        """Alarms that fired and have not resolved."""
        return sum(n > 0 for n in self.firing.values())


def truth_sentence(alarm: AlarmEvent, *, inputs_fine: bool) -> str:
    """What a rise of wrong answers means, in plain words."""
    wrong = f"{alarm.affected or 0} wrong decisions since it began"
    if not inputs_fine:
        return f"           the inputs are not as they were, and so the answers: {wrong}"
    return f"           inputs fine, truth not: {wrong}; the model is as it was, the world is not"


def promotion_sentence(decision: ModelEvent) -> str:
    """Why a challenger answers now, in plain words."""
    told = decision.evidence.get("evidence", {})
    old, new = told.get("champion_loss"), told.get("challenger_loss")
    errs = f": wrong in {new:.1%} where the old one was in {old:.1%}" if old is not None else ""
    return (
        f"★ PROMOTED  the challenger {decision.version!r}, which learned from the labels, answers"
        f" now{errs} ({told.get('labels', 0)} labels, e-value {told.get('e_value', 0.0):.3g})"
    )


def sentence(alarm: AlarmEvent) -> str:
    """An edge of an alarm in one line."""
    mark = {"firing": "▲ FIRING  ", "resolved": "▽ resolved"}.get(alarm.status, alarm.status)
    return f"{mark} {alarm.summary}"
