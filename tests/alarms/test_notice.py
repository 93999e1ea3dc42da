"""What a person reads: everything that helps at three in the morning, and nothing else."""

from __future__ import annotations

from streamgauge.alarms.notice import lines, text
from tests.alarms.sinks.builders import example


def test_an_alarm_says_what_how_much_since_when_and_what_to_do() -> None:
    assert text(example("full")) == "\n".join(
        [
            "FIRING critical: shuttle: sensor_3 is 100 times what it was (mean 0.52 → 51.9) since"
            " 10:14:50",
            "One feature explains 97 % of the change.",
            "how much: jensen_shannon_distance 0.83, threshold 0.146",
            "sensor_3 (97 % of it): mean 0.52 → 51.9 (×100)",
            "sensor_5 (3 % of it): mean 3.1 → 3.4",
            "most in country = SE",
            "looks like cents instead of units",
            "changed with it: feature_pipeline 2026-11-19 → 2026-11-20",
            "since 2026-09-21T14:12:20Z, 612 predictions affected",
            "model shuttle, version 1.0.0, kind feature_drift, step score; the first step that"
            " moved: features",
            "for: refuse fraud without annoying customers",
            "owner: flight-ml",
            "runbook: https://wiki.example/shuttle",
            "dashboard: https://grafana.example/d/streamgauge-model?var-model=shuttle",
            "what to do: fall back to the rules engine; call risk-ml",
        ]
    )


def test_what_is_not_there_is_not_said() -> None:
    said = lines(example("minimal"))
    assert len(said) == 2
    assert not any("None" in line or line.endswith(": ") for line in said)


def test_who_has_it_until_when_and_why() -> None:
    taken = example("acknowledged")
    assert "acknowledged by ann: the feed is being repaired" in lines(taken)
    assert taken.handling is not None
    until = taken.handling.model_copy(update={"until": 1_790_003_630.0})
    silenced = taken.model_copy(update={"status": "silenced", "handling": until})
    assert lines(silenced)[1].startswith("silenced until 2026-09-21T15:13:50Z by ann")


def test_no_line_breaks_within_a_line() -> None:
    said = lines(example("full", contingency="first\nsecond\x1b[31m", scope={"step": "a\r\nb"}))
    assert all(line.isprintable() for line in said)
