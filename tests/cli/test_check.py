"""``check`` beyond validity: warnings with their place, the score, and what would be found."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from redis import Redis
from typer.testing import Result

from streamgauge.state.keys import PARTITION_FIELD, model_id, view_key
from streamgauge.state.views import FeatureView, ModelView, PartitionView, SeriesView

Run = Callable[..., Result]


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "fraud.yaml"
    path.write_text(
        "model: fraud\nowner: risk\nproject: {objective: less fraud}\n"
        "label_delay: {expected: 24h, max: 30d}\n"
        "criteria: [{name: right, expr: eror_ratio <= 0.01}]\n"
    )
    return path


def test_a_warning_stands_where_it_is_about_and_breaks_nothing(run: Run, spec: Path) -> None:
    result = run("check", spec)
    assert result.exit_code == 0
    assert f"{spec}: ok (model fraud)" in result.stdout
    assert f"{spec}: 2 of 21 points: missing problem" in result.stdout
    headline, source, caret = result.stderr.splitlines()
    assert headline == (
        f"{spec}:5:32: warning: no figure is called eror_ratio: it can't be known; "
        "did you mean `error_ratio`?"
    )
    assert caret.index("^") - source.index("criteria") == 31


def test_strict_makes_it_an_error(run: Run, spec: Path) -> None:
    result = run("check", spec, "--strict")
    assert result.exit_code == 4
    assert result.stderr.splitlines()[-1] == "error: 1 warning, and --strict; see above"
    spec.write_text(spec.read_text().replace("eror_ratio", "error_ratio"))
    assert run("check", spec, "--strict").exit_code == 0


def test_programs_get_warnings_and_score(run: Run, spec: Path) -> None:
    (found,) = json.loads(run("check", spec, "-o", "json").stdout)
    assert found["ok"] and found["mistakes"] == [] and found["power"] is None
    (warning,) = found["warnings"]
    assert (warning["line"], warning["column"]) == (5, 32)
    assert warning["hint"] == "did you mean `error_ratio`?"
    assert found["score"]["points"] == 2 and "owners" in found["score"]["missing"]


def test_at_a_traffic_it_says_what_is_found_and_what_it_costs(run: Run, spec: Path) -> None:
    result = run("check", spec, "--rate", 50, "--features", 20, "--positives", 0.02)
    assert result.exit_code == 0
    rows = {line[:21].strip(): line[21:] for line in result.stdout.splitlines()}
    assert "at 50 events a second, 20 features:" in result.stdout
    assert rows["judgement window"].strip().startswith("60s, 3,000 events")
    assert rows["tests a window"].split()[0] == "23"
    assert rows["false alarms a month"].strip().startswith("at most 1 ")
    assert "0.47 σ" in rows["smallest shift found"]
    assert "60 a window" in rows["positives"]
    assert "from a day's labels, 24h later" in rows["recall"]
    assert "Prometheus series" in rows and "Redis" in rows
    # A shift of 1 σ: two windows after the one in which it begins, and the grace.
    one = next(line for line in result.stdout.splitlines() if line.startswith("1.00 σ"))
    assert one.split()[-2:] == ["100%", "210s"]


def test_the_same_for_programs(run: Run, spec: Path) -> None:
    result = run("check", spec, "--rate", 50, "--positives", 0.02, "-o", "json")
    (found,) = json.loads(result.stdout)
    power = found["power"]
    # The budget over the tests of a month: 23 every minute.
    assert power["alpha"] == pytest.approx(1 / (23 * 43_200))
    assert (power["window_seconds"], power["window_events"]) == (60.0, 3000)
    assert [shift["size"] for shift in power["shifts"]] == [0.25, 0.5, 1.0, 2.0]
    assert power["shifts"][0]["seconds"] is None
    assert power["positives"]["per_window"] == 60
    assert 0.02 < power["positives"]["found_from"] < 0.2
    assert power["load"].endswith("20 features, assumed")


def test_a_traffic_that_is_never_judged_says_so(run: Run, spec: Path) -> None:
    result = run("check", spec, "--rate", 0.001)
    assert result.exit_code == 0
    assert "TOO FEW: 500 are needed, nothing is compared" in result.stdout
    assert "MEAN SHIFT" not in result.stdout


def test_the_running_monitor_tells_the_traffic(run: Run, spec: Path, redis_url: str) -> None:
    # Given a champion and a canary of three features, as a worker shows them
    features = [FeatureView(name=n, type="numeric") for n in ("a", "b", "c", "output.score")]
    series = [
        SeriesView(version=v, rate=rate, features=features, reference_n=9_000)
        for v, rate in (("1", 9.0), ("2", 1.0))
    ]
    view = ModelView(model="fraud", partition=0, series=series)
    with Redis.from_url(redis_url) as redis:
        fields = {
            PARTITION_FIELD: PartitionView(partition=0).model_dump_json(),
            model_id("fraud"): view.model_dump_json(),
        }
        redis.hset(view_key("streamgauge-monitor", 0), mapping=fields)
    # When the spec is checked against what runs
    result = run("--redis", redis_url, "check", spec, "--live", "-o", "json")
    # Then both versions are the traffic, and outputs are no features
    (found,) = json.loads(result.stdout)
    assert found["power"]["load"] == "10 events a second, 3 features, as seen now"
    assert found["power"]["reference_events"] == 9_000


def test_without_a_monitor_it_says_what_to_do(run: Run, spec: Path, fake_url: str) -> None:
    with Redis.from_url(fake_url) as redis:
        redis.flushall()
    result = run("--redis", fake_url, "check", spec, "--live")
    assert result.exit_code == 1
    assert "no window of model 'fraud' was judged yet; give the traffic: --rate" in result.stderr
    result = run("--redis", "redis://127.0.0.1:1/0", "check", spec, "--live")
    assert result.exit_code == 3


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--rate", "5", "--live"], "not both"),
        (["--features", "5"], "need a traffic"),
        (["--rate", "0"], "--rate"),
        (["--rate", "nan"], "--rate"),
        (["--rate", "5", "--positives", "0.9"], "--positives"),
    ],
)
def test_options_that_make_no_sense(run: Run, spec: Path, options: list[str], words: str) -> None:
    result = run("check", spec, *options)
    assert result.exit_code == 2
    assert words in result.stderr
