from __future__ import annotations

import math
import shutil
import subprocess

import pytest
from prometheus_client import generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from prometheus_client.samples import Exemplar, Timestamp

from streamgauge.exposition.collector import ALARM_COUNTERS
from streamgauge.exposition.fleet import STATES
from streamgauge.exposition.source import Reading
from streamgauge.state.processes import ProcessView
from streamgauge.state.views import DeadSampleView, DetectorView, ModelView
from tests.exposition.builders import (
    HOSTILE,
    NOW,
    alarm,
    feature,
    judgement,
    model,
    partition,
    reading,
    series,
)
from tests.exposition.scraped import Scraped, scraped

ONE = {"model": "fraud", "version": "1", "step": ""}
AMOUNT = {**ONE, "feature": "amount", "detector": "js"}


def test_a_models_numbers_are_there() -> None:
    view = model(labels=7, late=2, feedback={"redo": 4}, spec_version=5)
    now = Scraped(reading([view], [partition()], specs={"fraud": 6, "planned": 1}))
    assert now.value("predictions_total", **ONE, status="ok") == 100
    assert now.value("labels_total", model="fraud") == 7
    assert now.value("late_events_total", model="fraud") == 2
    assert now.value("feedback_total", model="fraud", kind="redo") == 4
    assert now.value("spec_version", model="fraud") == 5
    assert now.value("spec_stored_version", model="fraud") == 6
    assert now.value("last_event_timestamp_seconds", model="fraud") == NOW - 1
    assert now.value("drift_severity_ratio", **AMOUNT) == 0.4
    assert now.value("drift_score", **AMOUNT) == pytest.approx(0.02)
    assert now.value("drift_threshold", **AMOUNT) == 0.05
    assert now.value("feature_missing_ratio", **ONE, feature="amount") == 0
    # A model that only has a spec is expected all the same.
    assert now.value("model_expected", model="planned") == 1


def test_dead_letters_lead_to_the_trace_of_the_newest() -> None:
    # Given traced dead letters on two partitions, the newest of one reason without a trace
    def sample(at: float, trace: str | None) -> DeadSampleView:
        place = {"topic": "t", "partition": 0, "offset": 1, "timestamp": at}
        return DeadSampleView.model_validate({**place, "trace_id": trace and trace * 32})

    one = partition(0, dead_samples={"schema": [sample(NOW - 9, "a"), sample(NOW, None)]})
    two = partition(1, dead_samples={"schema": [sample(NOW - 5, "b")]})
    now = Scraped(reading([], [one, two]))
    text = generate_openmetrics(now.registry).decode()  # type: ignore[no-untyped-call]
    families = text_string_to_metric_families(text)  # type: ignore[no-untyped-call]
    found = {s.labels["reason"]: s.exemplar for f in families for s in f.samples if s.exemplar}
    # Then the newest that has one is shown, of that reason alone
    assert found == {"schema": Exemplar({"trace_id": "b" * 32}, 1.0, Timestamp(NOW - 5, 0))}
    # And the format that knows no exemplars has none
    assert b"bbbb" not in generate_latest(now.registry)


def test_latency_is_a_histogram() -> None:
    now = scraped([model()])
    assert now.value("prediction_latency_seconds_bucket", **ONE, le="0.01") == 90
    assert now.value("prediction_latency_seconds_bucket", **ONE, le="+Inf") == 100
    assert now.value("prediction_latency_seconds_count", **ONE) == 100
    assert now.value("prediction_latency_seconds_sum", **ONE) == 0.5


def test_many_bounds_are_thinned_and_stay_cumulative() -> None:
    buckets = {str(i / 100): i for i in range(1, 50)} | {"+Inf": 60}
    now = scraped([model(series=[series(latency_buckets=buckets)])])
    bounds = [float(le) for le in now.labels("prediction_latency_seconds_bucket", "le")]
    assert 20 < len(bounds) < 30
    assert bounds == sorted(bounds)
    assert bounds[-1] == math.inf
    for bound in bounds[:-1]:
        found = now.value("prediction_latency_seconds_bucket", **ONE, le=repr(bound))
        assert found == round(bound * 100)


def test_shards_counts_add_up_and_the_worst_judgement_speaks() -> None:
    # Given two shards of a model, one of them drifting, with other buckets each
    calm = model(
        partition=0,
        labels=1,
        series=[series(ok=100, window_n=100, features=[feature(missing=0.1)])],
    )
    drifting = model(
        partition=1,
        labels=2,
        series=[
            series(
                ok=300,
                window_n=300,
                state="firing",
                latency_buckets={"0.001": 5, "0.1": 300},
                features=[feature(severity=3.0, state="firing", missing=0.5)],
            )
        ],
    )
    now = scraped([calm, drifting])

    # Then counts are sums, ratios weighted, and the verdict is that of the worse shard, whole
    assert now.value("predictions_total", **ONE, status="ok") == 400
    assert now.value("labels_total", model="fraud") == 3
    assert now.value("prediction_latency_seconds_bucket", **ONE, le="0.001") == 15
    assert now.value("prediction_latency_seconds_bucket", **ONE, le="0.01") == 95
    assert now.value("prediction_latency_seconds_bucket", **ONE, le="+Inf") == 400
    assert now.value("drift_severity_ratio", **AMOUNT) == 3.0
    assert now.value("drift_score", **AMOUNT) == pytest.approx(0.15)
    assert now.value("detector_state", **AMOUNT, state="firing") == 1
    assert now.value("model_state", **ONE, state="firing") == 1
    assert now.value("feature_missing_ratio", **ONE, feature="amount") == pytest.approx(0.4)


@pytest.mark.parametrize("state", STATES)
def test_every_state_is_explicit(state: str) -> None:
    verdict = None if state in ("warming", "too_few", "no_data") else 0.5
    now = scraped(
        [model(series=[series(state=state, features=[feature(state=state, severity=verdict)])])]
    )
    for each in STATES:
        assert now.value("detector_state", **AMOUNT, state=each) == float(each == state)
        assert now.value("model_state", **ONE, state=each) == float(each == state)
    # Without a verdict there is no number that could look healthy.
    assert (now.value("drift_severity_ratio", **AMOUNT) is None) == (verdict is None)


def test_a_poisoned_detector_shows_beside_a_healthy_judgement() -> None:
    broken = DetectorView(series="amount", detector="adwin", state="poisoned", samples=9, needed=5)
    now = scraped([model(series=[series(detectors=[broken])])])
    labels = {**AMOUNT, "detector": "adwin"}
    assert now.value("detector_state", **labels, state="poisoned") == 1
    assert now.value("detector_state", **AMOUNT, state="ok") == 1


def test_a_features_gravest_judgement_is_the_one() -> None:
    several = feature().model_copy(
        update={
            "judgements": [
                judgement(severity=0.2, detector="js"),
                judgement(severity=0.9, detector="missing"),
                judgement(severity=0.5, detector="wrong_type"),
            ]
        }
    )
    now = scraped([model(series=[series(features=[several])])])
    assert now.labels("drift_severity_ratio", "detector") == ["missing"]


def test_a_feature_that_cant_be_judged_for_drift_does_not_look_healthy() -> None:
    # Given that nothing is missing, and that there is no reference yet
    half = feature().model_copy(
        update={
            "judgements": [
                judgement(severity=0.0, detector="missing"),
                judgement(severity=None, state="warming", detector="js"),
            ]
        }
    )
    now = scraped([model(series=[series(features=[half])])])
    assert now.value("detector_state", **AMOUNT, state="warming") == 1
    assert now.value("detector_state", **AMOUNT, state="ok") == 0
    # A hard rule that fires is heard all the same.
    broken = judgement(severity=4.0, detector="missing", state="firing")
    both = half.model_copy(update={"judgements": [broken, half.judgements[1]]})
    now.reading = reading([model(series=[series(features=[both])])])
    assert now.labels("drift_severity_ratio", "detector") == ["missing"]


def test_firing_features_and_the_ten_worst_are_shown_for_an_hour() -> None:
    # Given forty features of which twelve fire and the others are ever less severe
    def features(order: int) -> list[ModelView]:
        fire = [feature(f"f{i}", severity=2.0, state="firing") for i in range(12)]
        calm = [feature(f"c{order}{i}", severity=0.5 - i / 100) for i in range(28)]
        return [model(series=[series(features=fire + calm)])]

    now = scraped(features(0))
    assert sorted(now.labels("drift_score", "feature")) == sorted(f"f{i}" for i in range(12))

    # When the fires are out, Then they stay, beside the ten worst of now
    healed = [feature(f"f{i}", severity=0.01) for i in range(12)]
    calm = [feature(f"c{i}", severity=0.5 - i / 100) for i in range(28)]
    now.reading = reading([model(series=[series(features=healed + calm)])])
    now.now += 10
    assert len(now.labels("drift_score", "feature")) == 22

    # and an hour later they are gone
    now.now += 3601
    sends = [model(series=[series(ok=200, features=healed + calm)])]
    now.reading = reading(sends, read_at=now.now)
    assert sorted(now.labels("drift_score", "feature")) == sorted(f"c{i}" for i in range(10))


def test_alarms_are_counted_and_active_ones_shown() -> None:
    open_one, over = alarm(), alarm(fingerprint="g", kind="data_quality", status="resolved")
    totals = {"feature_drift/warning": 3, "data_quality/critical": 1}
    now = scraped([model(alarms=[open_one, over], alarms_total=totals)])
    drift = {"model": "fraud", "kind": "feature_drift", "severity": "warning"}
    quality = {"model": "fraud", "kind": "data_quality", "severity": "critical"}
    assert now.value("alarms_total", **drift) == 3
    assert now.value("alarms_active", **drift) == 1
    assert now.value("alarms_active", **quality) == 0
    # What never fired is counted from 0 on, so that the first one is a rise; and is not active
    never = {"model": "fraud", "kind": "latency", "severity": "critical"}
    assert now.value("alarms_total", **never) == 0
    assert now.value("alarms_active", **never) is None


def test_alarms_that_never_were_take_no_room_from_what_is() -> None:
    # Given more models than a tenth of the cap has such counters for
    room = 10 * 2 * len(ALARM_COUNTERS)
    views = [model(f"m{i}", alarms_total={"latency/warning": 1}) for i in range(3)]
    assert len(scraped(views[:2], max_series=room).labels("alarms_total", "kind")) == room // 10
    now = scraped(views, max_series=room)
    assert now.labels("alarms_total", "kind") == ["latency"] * 3


def test_the_pipelines_own_numbers() -> None:
    monitor = ProcessView(service="monitor", instance="m-1", started_at=1.0)
    lost = partition(1, counts={"prediction/ok": 90}, dead={}, lost=0, holes=0)
    now = Scraped(reading([], [partition(), lost], processes=(monitor,)))
    flow = {"service": "monitor", "kind": "prediction"}
    assert now.value("events_processed_total", **flow, outcome="ok") == 185
    assert now.value("events_processed_total", **flow, outcome="late") == 2
    assert now.value("dead_letters_total", service="monitor", reason="schema") == 1
    here = {"group": "g", "partition": "0"}
    assert now.value("offsets_lost_total", **here) == 1
    assert now.value("offset_holes_total", **here) == 1
    assert now.value("conservation_difference", **here) == 0
    assert now.value("conservation_difference", group="g", partition="1") == 10
    assert now.value("watermark_delay_seconds", **here) == 3
    assert now.value("checkpoint_timestamp_seconds", **here) == NOW - 0.5
    assert now.value("position_offset", **here, topic="streamgauge.predictions") == 110
    assert now.value("process_up", service="monitor", process="m-1") == 1
    assert now.value("models", **here) == 1
    assert now.value("redis_up") == 1


def test_without_redis_it_says_so_and_old_numbers_leave() -> None:
    # Given a scrape that was well
    now = scraped([model()])
    assert now.value("predictions_total", **ONE, status="ok") == 100

    # When Redis goes, Then the last numbers stand for a while, and the gauges say so
    now.reading = Reading(now.reading.snapshot, up=False, error="ConnectionError")
    now.now += 20
    assert now.value("redis_up") == 0
    assert now.value("views_age_seconds") == 20
    assert now.value("predictions_total", **ONE, status="ok") == 100

    # and later there are none, because nobody knows
    now.now += 20
    assert now.value("redis_up") == 0
    assert now.value("predictions_total", **ONE, status="ok") is None
    assert now.value("model_state", **ONE, state="ok") is None


def test_before_the_first_reading_there_is_a_valid_exposition() -> None:
    now = Scraped(Reading())
    assert now.value("redis_up") == 0
    assert now.value("views_age_seconds") is None
    assert generate_latest(now.registry)


def test_three_versions_live_and_the_fourth_counts_as_other_without_falling() -> None:
    def views(*counts: int, at: float = NOW) -> Reading:
        each = [series(f"v{i}", ok=n) for i, n in enumerate(counts)]
        return reading([model(series=each)], read_at=at)

    # Given four versions
    now = Scraped(views(1000, 900, 800, 10))
    assert sorted(set(now.labels("model_state", "version"))) == ["v0", "v1", "v2"]
    other = {"model": "_other", "version": "_other", "step": "_other", "status": "ok"}
    before = now.value("predictions_total", **other)
    assert before is not None

    # When the smallest becomes the second largest, Then another steps back
    now.now += 200
    now.reading = views(1001, 901, 800, 950, at=now.now)
    assert sorted(set(now.labels("model_state", "version"))) == ["v0", "v1", "v3"]

    # and _other has not fallen, nor does it get what was counted before
    after = now.value("predictions_total", **other)
    assert after is not None
    assert before <= after <= before + 1


def test_a_retired_version_loses_its_series() -> None:
    now = scraped([model(series=[series("old"), series("new")])])
    assert sorted(set(now.labels("model_state", "version"))) == ["new", "old"]
    now.now += 3700
    changed = [model(series=[series("old"), series("new", ok=200)])]
    now.reading = reading(changed, read_at=now.now)
    assert set(now.labels("model_state", "version")) == {"new"}


def test_the_cap_holds_and_counters_beyond_it_add_up_in_other() -> None:
    # Given far more models than fit
    many = [model(f"m{i:04}", labels=1) for i in range(500)]
    now = scraped(many, max_series=2_000)

    # Then there are no more series than the cap (and the few of _other and of the cap itself)
    samples = [sample for family in now.registry.collect() for sample in family.samples]
    assert len(samples) < 2_050
    dropped = now.value("series_dropped_total", reason="cap")
    assert dropped is not None
    assert dropped > 0

    # and no prediction is missing from the sum
    predictions = [s.value for s in samples if s.name == "streamgauge_predictions_total"]
    assert sum(predictions) == 500 * 100
    labels = [s.value for s in samples if s.name == "streamgauge_labels_total"]
    assert sum(labels) == 500

    # and the same models are shown each time, also when an earlier name comes
    shown = set(now.labels("labels_total", "model"))
    now.reading = reading([model("a"), *many], [partition()])
    again = set(now.labels("labels_total", "model"))
    assert "a" not in again
    # The newcomer's ``model_expected`` takes one place, no more.
    assert len(shown - again) <= 1


def test_gauges_beyond_the_cap_are_left_out() -> None:
    now = scraped([model(f"m{i:04}") for i in range(500)], max_series=2_000)
    assert "_other" not in now.labels("last_event_timestamp_seconds", "model")
    assert "_other" in now.labels("predictions_total", "model")


def test_invented_kinds_of_feedback_do_not_explode() -> None:
    kinds = {f"custom:{i:03}": 1 for i in range(200)}
    now = scraped([model(feedback=kinds)])
    assert len(now.labels("feedback_total", "kind")) == 21
    assert now.value("feedback_total", model="fraud", kind="_other") == 180


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_never_exported(value: float) -> None:
    bad = judgement().model_copy(update={"severity": value, "value": value})
    views = [
        model(
            watermark=value,
            last_event=value,
            series=[
                series(
                    latency_sum=value,
                    features=[feature(missing=value).model_copy(update={"judgements": [bad]})],
                )
            ],
        )
    ]
    now = scraped(views)
    found = [s for family in now.registry.collect() for s in family.samples]
    assert all(math.isfinite(sample.value) for sample in found)
    dropped = now.value("series_dropped_total", reason="nonfinite")
    assert dropped is not None
    assert dropped > 0


def hostile_reading() -> Reading:
    views = [
        model(
            name,
            series=[series(name, features=[feature(other) for other in HOSTILE.values()])],
            feedback={name: 1},
            alarms=[alarm(kind=name)],
        )
        for name in HOSTILE.values()
    ]
    # Two long names that begin alike must not become one series.
    views += [model("y" * 5_000 + end) for end in "ab"]
    return reading(views, [partition()])


def test_hostile_names_give_a_valid_exposition() -> None:
    now = Scraped(hostile_reading())
    text = generate_openmetrics(now.registry).decode()  # type: ignore[no-untyped-call]
    families = list(text_string_to_metric_families(text))  # type: ignore[no-untyped-call]
    names = {
        sample.labels["model"]
        for family in families
        for sample in family.samples
        if "model" in sample.labels
    }
    assert HOSTILE["quotes"] in names
    assert HOSTILE["newline"] in names
    assert HOSTILE["right-to-left"] in names
    assert all(len(name) <= 128 for name in names)
    assert len(names) == len(HOSTILE) + 2
    seen = [(s.name, tuple(sorted(s.labels.items()))) for f in families for s in f.samples]
    assert len(seen) == len(set(seen))


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not on PATH")
@pytest.mark.parametrize("which", ["plain", "hostile", "empty"])
def test_promtool_has_nothing_to_say(which: str) -> None:
    made = {
        "plain": reading([model(alarms=[alarm()], feedback={"redo": 1})], [partition()]),
        "hostile": hostile_reading(),
        "empty": Reading(),
    }[which]
    done = subprocess.run(
        ["promtool", "check", "metrics"],
        input=generate_latest(Scraped(made).registry),
        capture_output=True,
        timeout=30,
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, b"")
