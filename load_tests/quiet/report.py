"""What a quiet run prints: every alarm with its cause's trace, a table by nature, the last line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from load_tests.quiet.movement import DAY
from load_tests.quiet.recipes import NATURES
from load_tests.quiet.watch_model import Outcome
from streamgauge_client.events import AlarmEvent


def lines(outcomes: Sequence[Outcome], *, days: float, budget: float) -> list[str]:
    """The report. ``budget`` is of false alarms per model and month."""
    months = days / 30.0
    ordered = sorted(outcomes, key=lambda o: (NATURES.index(o.recipe.nature), o.recipe.name))
    rows = [row for outcome in ordered for row in _alarm_lines(outcome)]
    rows += ["", "", *_table(ordered, months)] if rows else _table(ordered, months)
    by_way = Counter(outcome.way for outcome in outcomes)
    events = {way: sum(o.events for o in outcomes if o.way == way) for way in by_way}
    by_default = sum(outcome.by_default for outcome in outcomes)
    rows += [
        "",
        f"{by_way['events']} models as events ({events.get('events', 0):,} JSON records through "
        f"PartitionMonitor), {by_way['panes']} as panes ({events.get('panes', 0):,} events' "
        "counts through Series.panes and ModelMonitor.advance); "
        f"{by_default} with the default's windows of a minute, the others' last 5 at least",
    ]
    total = sum(len(outcome.alarms) for outcome in outcomes)
    naive = sum(outcome.psi_alarms + outcome.adwin_alarms for outcome in outcomes)
    rows.append(
        f"quiet: models={len(outcomes)} months={months:g} alarms={total} "
        f"budget={len(outcomes) * months * budget:g} naive_alarms={naive}"
    )
    return rows


def _alarm_lines(outcome: Outcome) -> list[str]:
    recipe = outcome.recipe
    return [
        f"{recipe.name} ({recipe.rate:.3g}/s, {outcome.way}, seed {recipe.seed}) "
        f"day {(_told(alarm) - recipe.start) / DAY:.2f}: {alarm.kind} {alarm.feature or '-'} "
        f"{alarm.severity} ×{alarm.severity_ratio or 0:.2f} v{alarm.version}: {alarm.summary}"
        for alarm in outcome.alarms
    ]


def _told(alarm: AlarmEvent) -> float:
    return alarm.window.end if alarm.window is not None else alarm.starts_at or 0.0


def _table(outcomes: Sequence[Outcome], months: float) -> list[str]:
    head = f"{'nature':<16}{'models':>7}{'months':>8}{'events':>16}{'alarms':>8}{'of info':>8}"
    rows = [head + f"{'PSI > 0.1':>11}{'raw ADWIN':>11}  kinds"]
    for nature in NATURES:
        own = [outcome for outcome in outcomes if outcome.recipe.nature == nature]
        if not own:
            continue
        alarms = [alarm for outcome in own for alarm in outcome.alarms]
        kinds = Counter(alarm.kind for alarm in alarms)
        info = sum(alarm.severity == "info" for alarm in alarms)
        rows.append(
            f"{nature:<16}{len(own):>7}{len(own) * months:>8.3g}{sum(o.events for o in own):>16,}"
            f"{len(alarms):>8}{info:>8}{sum(o.psi_alarms for o in own):>11,}"
            f"{sum(o.adwin_alarms for o in own):>11,}  "
            + ", ".join(f"{kind} {n}" for kind, n in sorted(kinds.items()))
        )
    return rows
