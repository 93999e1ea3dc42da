"""``reference accept``: who made the present the new normal, and that it stays so."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from redis import Redis
from typer.testing import Result

from streamgauge.references import ReferenceProfile
from streamgauge.specs import SpecVersion
from streamgauge.state.keys import model_id, view_key
from streamgauge.state.spec_store import SpecStore
from streamgauge.state.views import AlarmView, FeatureView, ModelView, SeriesView

Run = Callable[..., Result]

FEATURES = [FeatureView(name="amount", type="numeric"), FeatureView(name="age", type="numeric")]
VIEW = ModelView(
    model="fraud",
    partition=0,
    series=[
        SeriesView(version="1", step="", features=FEATURES),
        SeriesView(version="1", step="rank", features=FEATURES),
    ],
    alarms=[
        AlarmView(
            fingerprint="f",
            kind="feature_drift",
            status="firing",
            severity="warning",
            severity_ratio=4.0,
            summary="amount is twice what it was",
            starts_at=1_700_000_000.0,
            alarm_id="a",
        )
    ],
)


@pytest.fixture
def url(redis_url: str) -> str:
    """A Redis where a monitor has seen the model."""
    show(redis_url, VIEW)
    return redis_url


def show(url: str, view: ModelView) -> None:
    with Redis.from_url(url) as redis:
        redis.hset(view_key("g", 0), model_id(view.model), view.model_dump_json())


def latest(url: str) -> SpecVersion:
    with Redis.from_url(url) as redis:
        found = SpecStore(redis).latest("fraud")
    assert found is not None
    return found


def test_the_present_is_accepted_with_author_time_and_reason(run: Run, url: str) -> None:
    before = time.time()
    result = run("--redis", url, "reference", "accept", "fraud", "--reason", "new tariff")
    assert result.exit_code == 0, result.stderr
    # Then a new version of the spec says so, with the clock of its own applying
    version = latest(url)
    accepted = version.spec.reference.accepted
    assert accepted is not None
    assert version.spec.reference.kind == "learned"
    assert accepted.at == version.applied_at and before <= accepted.at <= time.time()
    assert (accepted.by, accepted.reason) == (version.applied_by, "new tariff")
    assert "features" not in version.spec.document()["reference"]["accepted"]
    assert accepted.means("amount", step="") and accepted.means("output.score", step="rank")
    # And the page names what is open now
    assert result.stdout.splitlines()[1].split()[:3] == ["fraud", "1", "accepted"]
    assert "open now: amount is twice what it was (since 2023-11-14" in result.stderr


def test_only_some_features_of_one_step(run: Run, url: str) -> None:
    arguments = ("--step", "rank", "--feature", "amount", "--feature", "amount", "-o", "json")
    result = run("--redis", url, "reference", "accept", "fraud", *arguments)
    (row,) = json.loads(result.stdout)
    assert row["accepted"]["features"] == ["amount"] and row["accepted"]["step"] == "rank"
    accepted = latest(url).spec.reference.accepted
    assert accepted is not None
    assert accepted.means("amount", step="rank")
    assert not accepted.means("age", step="rank") and not accepted.means("amount", step="")


def test_a_second_time_is_a_new_decision(run: Run, url: str) -> None:
    for _ in range(2):
        assert run("--redis", url, "reference", "accept", "fraud").exit_code == 0
    with Redis.from_url(url) as redis:
        first, second = SpecStore(redis).versions("fraud")
    one, two = first.spec.reference.accepted, second.spec.reference.accepted
    assert one is not None and two is not None and one.at < two.at


def test_a_dry_run_changes_nothing(run: Run, url: str) -> None:
    result = run("--redis", url, "reference", "accept", "fraud", "--dry-run")
    assert result.exit_code == 0
    assert "would accept" in result.stdout and "+ reference.accepted.by" in result.stderr
    with Redis.from_url(url) as redis:
        assert SpecStore(redis).latest("fraud") is None


def test_what_the_spec_says_stays(run: Run, url: str, tmp_path: Path) -> None:
    spec = tmp_path / "fraud.yaml"
    spec.write_text("model: fraud\nowner: risk\nreference: {min_events: 50}\n")
    run("--redis", url, "apply", spec)
    run("--redis", url, "reference", "accept", "fraud")
    found = latest(url).spec
    assert (found.owner, found.reference.min_events) == ("risk", 50)
    assert found.reference.accepted is not None


def test_a_profile_gives_way_as_a_whole(run: Run, url: str) -> None:
    profile = ReferenceProfile("fraud", {}, 100)
    with Redis.from_url(url) as redis:
        SpecStore(redis).put_reference("fraud", "march", profile.to_bytes())
    spec = Path("fraud.yaml")
    spec.write_text("model: fraud\nreference: {kind: profile, id: march}\n")
    assert run("--redis", url, "apply", spec).exit_code == 0
    # When only a part is to be accepted, the rest would stand without a reference
    part = run("--redis", url, "reference", "accept", "fraud", "--feature", "amount")
    assert part.exit_code == 1
    assert "would take it from all other features; leave --feature out" in part.stderr
    other = run("--redis", url, "reference", "accept", "fraud", "--step", "rank")
    assert other.exit_code == 1 and "describes step ''" in other.stderr
    assert latest(url).number == 1
    # When all is accepted, the profile is out of use, and still stored
    whole = run("--redis", url, "reference", "accept", "fraud")
    assert whole.exit_code == 0
    assert "- reference.id: march" in whole.stderr
    assert latest(url).spec.reference.kind == "learned"
    shown = run("--redis", url, "reference", "show", "fraud")
    assert shown.exit_code == 0 and "stored and not in use: march" in shown.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["frud"], "no model 'frud' was seen yet; did you mean 'fraud'?"),
        (["fraud.amount"], "did you mean fraud --feature amount?"),
        (["fraud", "--feature", "amout"], "no feature 'amout'; did you mean 'amount'?"),
        (["fraud", "--step", "rang"], "no step 'rang'; there are: '', 'rank'"),
    ],
)
def test_slips(run: Run, url: str, arguments: list[str], words: str) -> None:
    result = run("--redis", url, "reference", "accept", *arguments)
    assert result.exit_code == 1 and words in result.stderr
    with Redis.from_url(url) as redis:
        assert not redis.keys("streamgauge:spec:*")


def test_a_reason_has_an_end(run: Run, url: str) -> None:
    result = run("--redis", url, "reference", "accept", "fraud", "--reason", "x" * 1001)
    assert result.exit_code == 2 and "--reason: String should have at most 1000" in result.stderr


def test_there_must_be_a_present(run: Run, redis_url: str, tmp_path: Path) -> None:
    spec = tmp_path / "fraud.yaml"
    spec.write_text("model: fraud\n")
    run("--redis", redis_url, "apply", spec)
    result = run("--redis", redis_url, "reference", "accept", "fraud")
    assert result.exit_code == 1 and "there is no present to accept" in result.stderr


def test_applying_a_file_does_not_undo_it(run: Run, url: str, tmp_path: Path) -> None:
    # Given an accepted present
    run("--redis", url, "reference", "accept", "fraud", "--reason", "new tariff")
    decided = latest(url).spec.reference.accepted
    assert decided is not None
    # When a file is applied that says nothing of references
    spec = tmp_path / "fraud.yaml"
    spec.write_text("model: fraud\nowner: risk\n")
    dry = run("--redis", url, "apply", spec, "--dry-run")
    assert f"= reference.accepted is kept (by {decided.by} at " in dry.stderr
    applied = run("--redis", url, "apply", spec)
    # Then it stands, and the page says so
    assert latest(url).spec.reference.accepted == decided
    assert latest(url).spec.owner == "risk"
    assert "new tariff); the file says nothing of `reference`" in applied.stderr
    assert "unchanged" in run("--redis", url, "apply", spec).stdout
    # When the file speaks of the reference, it has the last word
    spec.write_text("model: fraud\nreference: {min_events: 200}\n")
    over = run("--redis", url, "apply", spec)
    assert "- reference.accepted.reason: new tariff" in over.stderr
    assert latest(url).spec.reference.accepted is None


def test_show_and_explain_say_who_accepted_when(run: Run, url: str) -> None:
    run("--redis", url, "reference", "accept", "fraud", "--reason", "new\x1b[2J tariff")
    accepted = latest(url).spec.reference.accepted
    assert accepted is not None
    shown = run("--redis", url, "reference", "show", "fraud")
    assert shown.exit_code == 0
    assert shown.stdout.splitlines()[0].split() == [
        "ACCEPTED",
        "AT",
        "BY",
        "STEP",
        "FEATURES",
        "REASON",
    ]
    assert accepted.by in shown.stdout and "new·[2J tariff" in shown.stdout
    document = json.loads(run("--redis", url, "reference", "show", "fraud", "-o", "json").stdout)
    assert document["accepted"]["at"] == accepted.at and document["spec_version"] == 1
    time.sleep(max(0.0, latest(url).effective_at - time.time()) + 0.01)
    assert "reference.accepted" in run("--redis", url, "explain", "fraud").stdout
