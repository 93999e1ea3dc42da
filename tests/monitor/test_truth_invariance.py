"""Where a log is cut, and where a worker dies, changes nothing of the truth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from streamgauge.monitor import Configuration, PartitionMonitor
from streamgauge.processing import LogRecord
from streamgauge.specs.model_spec import ModelSpec
from streamgauge.state.packing import pack
from tests.monitor.streams import START, monitor, prediction
from tests.monitor.truths import SPEC, answers, label, merged, predictions

QUICKLY = settings(max_examples=3, deadline=None, phases=[Phase.explicit, Phase.generate])


def version(number: int, effective_at: float = 0.0, **changes: Any) -> Configuration:
    spec = {name: value for name, value in {**SPEC, **changes}.items() if value is not None}
    return Configuration(ModelSpec.from_document(spec), number, effective_at)


def outcome(
    log: Sequence[LogRecord], cuts: Sequence[int], *versions: Configuration
) -> tuple[list[Any], bytes]:
    """Events, and the truth's state at the end, of a worker that is restarted at every cut."""
    stored: dict[str, bytes] = {}
    events: list[Any] = []
    made: PartitionMonitor = monitor(*versions)
    for start, end in zip([0, *cuts], [*cuts, len(log)], strict=True):
        made = monitor(*versions)
        made.restore(stored)
        events += made.process(log[start:end]).events
        for name, blob in made.dirty().blobs.items():
            stored.pop(name, None)
            stored |= {name: blob} if blob else {}
    made.advance(START + 2000.0)
    truth = made._models["fraud"].truth
    truth.give()
    return events, pack([truth.truth.state(), truth.truth.judged_state()])


def cut(data: st.DataObject, log: Sequence[LogRecord]) -> list[int]:
    return sorted(data.draw(st.sets(st.integers(1, len(log) - 1), min_size=1, max_size=5)))


@given(data=st.data())
@QUICKLY
def test_the_first_label_of_a_model_makes_room_from_its_record_on(data: st.DataObject) -> None:
    said = answers(3000, error=0.1)
    log = merged(
        predictions(said, rate=1000.0),
        [label(i, START + 2.5 + i / 1e4, i, said[i][1]) for i in range(100)],
    )
    plain = version(1, task=None, label_delay=None)
    expected = outcome(log, [], plain)
    cuts = sorted({2502, *cut(data, log)})
    assert outcome(log, cuts, plain) == expected


CHANGES: dict[str, dict[str, Any]] = {
    "horizon-shorter": {"label_delay": {"max": "2s"}},
    "horizon-longer": {"label_delay": {"max": "90s"}},
    "room": {"labels": {"pending_max": 1000}, "label_delay": {"max": "600s"}},
    "implied": {"labels": {"implicit_negative_after": "1s"}},
    "task": {"task": "regression"},
    "positive": {"labels": {"positive": "false"}},
    "threshold": {"labels": {"threshold": 0.8}},
    "segments": {"segments": {"site": {}}},
    "detectors": {"labels": {"detectors": [{"name": "ddm"}]}},
}


@pytest.mark.parametrize("change", CHANGES)
@given(data=st.data())
@settings(max_examples=3, deadline=None, phases=[Phase.explicit, Phase.generate])
def test_a_spec_that_changes_while_predictions_wait(change: str, data: st.DataObject) -> None:
    seed = data.draw(st.integers(0, 1000))
    rng = np.random.default_rng(seed)
    said = answers(600, error=0.2, seed=seed)
    delays = rng.exponential(2.0, size=len(said))
    log = merged(
        predictions(said, segment={"site": "a"}),
        [
            label(i, START + i / 100 + delays[i], i, t)
            for i, (_, t) in enumerate(said)
            if rng.random() < 0.9
        ],
        [
            label(5000 + i, START + i / 100 + 4.0, i, not t, revision=1)
            for i, (_, t) in enumerate(said)
            if rng.random() < 0.1
        ],
    )
    versions = version(1), version(2, START + 3.0, **CHANGES[change])
    expected = outcome(log, [], *versions)
    assert outcome(log, cut(data, log), *versions) == expected


@given(data=st.data())
@QUICKLY
def test_an_id_that_comes_again_after_its_horizon_is_another_prediction(
    data: st.DataObject,
) -> None:
    rng = np.random.default_rng(data.draw(st.integers(0, 1000)))
    records = []
    for i in range(120):
        at = START + i / 2
        name: dict[str, Any] = {"prediction_id": f"p{rng.integers(8)}"}
        if rng.random() < 0.5:
            records.append(prediction(i, at, {"x": 1.0}, output=float(rng.random()), **name))
        else:
            revision = int(rng.integers(3))
            records.append(label(i, at, i, bool(rng.random() < 0.5), revision=revision, **name))
    short = version(1, label_delay={"max": "5s"})
    expected = outcome(records, [], short)
    assert outcome(records, cut(data, records), short) == expected


def names(rng: np.random.Generator) -> Any:
    return str(rng.choice(["cat", "dog", "eel", "fox"]))


@pytest.mark.parametrize("task", ["binary", "multiclass", None])
@given(data=st.data())
@settings(max_examples=3, deadline=None, phases=[Phase.explicit, Phase.generate])
def test_classes_and_the_positive_one_are_known_by_the_row(
    task: str | None, data: st.DataObject
) -> None:
    rng = np.random.default_rng(data.draw(st.integers(0, 1000)))
    log = merged(
        [prediction(i, START + i / 100, {"x": 1.0}, output=names(rng)) for i in range(400)],
        [label(i, START + i / 100 + rng.uniform(-1, 3), i, names(rng)) for i in range(400)],
    )
    made = version(1, task=task)
    expected = outcome(log, [], made)
    assert outcome(log, cut(data, log), made) == expected


def test_of_too_many_versions_the_newest_are_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streamgauge.monitor.truth.model_truth.MOST_SERIES", 3)
    rng = np.random.default_rng(2)
    said = answers(400, error=0.2)
    log = merged(
        [
            prediction(i, START + i / 100, {"x": 1.0}, output=s, version=f"v{i // 70 + i % 2}")
            for i, (s, _) in enumerate(said)
        ],
        [label(i, START + i / 100 + rng.uniform(0, 2), i, t) for i, (_, t) in enumerate(said)],
        [label(900 + i, START + i / 50 + 3.0, i, True, revision=1) for i in range(150)],
    )
    whole = monitor(version(1))
    whole.process(log)
    whole.advance(START + 2000.0)
    assert list(whole._models["fraud"].truth.truth.series) == [("v4", ""), ("v5", ""), ("v6", "")]
    assert outcome(log, [90, 333, 501, 777], version(1)) == outcome(log, [], version(1))


def test_combinations_without_end_end_in_no_slice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streamgauge.monitor.truth.groups.MOST", 20)
    said = answers(300, error=0.2)
    records = [
        prediction(
            i, START + i / 100, {"x": 1.0}, output=s, version=f"v{i // 100}", segment={"u": f"{i}"}
        )
        for i, (s, _) in enumerate(said)
    ]
    log = merged(records, [label(i, START + i / 100 + 1, i, t) for i, (_, t) in enumerate(said)])
    spec = version(1, segments={"u": {"max_values": 50}})
    whole = monitor(spec)
    whole.process(log)
    series = whole._models["fraud"].truth.truth.series
    assert [each.total.scored for each in series.values()] == [100.0] * 3
    assert outcome(log, [77, 310], spec) == outcome(log, [], spec)
