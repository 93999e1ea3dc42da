"""What people did about alarms, in a scrape."""

from __future__ import annotations

from streamgauge.exposition.handled import put_handled
from streamgauge.exposition.overflow import Overflow
from streamgauge.exposition.sheet import Sheet
from streamgauge.state.handlings import Handling, Verdict
from streamgauge.state.reader import Snapshot
from tests.exposition.builders import NOW, alarm, model


def test_handled_and_judged_alarms_are_counted_for_the_models_that_are_shown() -> None:
    # Given one alarm that is silenced, one whose silence is over, and one of a model not shown
    snapshot = Snapshot(
        read_at=NOW,
        models=(
            model("fraud", alarms=[alarm(fingerprint=f, alarm_id=f) for f in ("quiet", "over")]),
            model("hidden", alarms=[alarm(fingerprint="else", alarm_id="else")]),
        ),
        handlings={
            name: Handling(
                model="fraud",
                fingerprint=name,
                alarm_id=name,
                by="ann",
                at=NOW - 60,
                status="silenced",
                until=until,
            )
            for name, until in {"quiet": NOW + 1, "over": NOW - 1, "else": NOW + 1}.items()
        },
        verdicts=tuple(
            Verdict(
                model=name, fingerprint="f", alarm_id=i, by="ann", at=NOW, kind="drift", right=right
            )
            for i, name, right in (
                ("a", "fraud", True),
                ("b", "fraud", False),
                ("c", "fraud", False),
                ("d", "hidden", True),
            )
        ),
    )
    # When they are put
    sheet = Sheet(Overflow(), limit=100)
    put_handled(sheet, snapshot, {"fraud"}, now=NOW)
    # Then the shown model's are there
    found = {
        (s.name, s.labels["model"], s.labels.get("status") or s.labels["verdict"]): s.value
        for family in sheet.families()
        for s in family.samples
    }
    assert found == {
        ("streamgauge_alarms_handled", "fraud", "silenced"): 1.0,
        ("streamgauge_alarms_judged", "fraud", "true"): 1.0,
        ("streamgauge_alarms_judged", "fraud", "false"): 2.0,
    }
