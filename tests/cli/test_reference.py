"""``reference build`` and ``reference show``."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from redis import Redis
from typer.testing import Result

from streamgauge.references import ReferenceProfile
from streamgauge.state.keys import reference_key
from streamgauge.state.spec_store import SpecStore

Run = Callable[..., Result]


@pytest.fixture
def training(tmp_path: Path) -> Path:
    rng = random.Random(7)
    path = tmp_path / "train.csv"
    lines = ["id,amount,country,score,decision"]
    for i in range(600):
        country = rng.choice(["SE", "NO", "DK"])
        amount = f"{rng.lognormvariate(3, 1):.3f}" if i % 20 else ""
        lines.append(f"row-{i},{amount},{country},{rng.random():.3f},{rng.choice(['yes', 'no'])}")
    path.write_text("\n".join(lines) + "\n")
    return path


def build(run: Run, url: str, training: Path, *more: object) -> Result:
    outputs = ("--output-column", "score", "--output-column", "decision")
    return run("--redis", url, "reference", "build", "fraud", training, *outputs, *more)


def test_a_file_becomes_the_reference_in_use(run: Run, redis_url: str, training: Path) -> None:
    result = build(run, redis_url, training, "-o", "json")
    assert result.exit_code == 0, result.stderr
    document = json.loads(result.stdout)
    targets = {row["target"]: row for row in document["targets"]}
    assert set(targets) == {"amount", "country", "output.score", "output.label"}
    assert targets["amount"]["type"] == "numeric"
    assert targets["amount"]["missing_ratio"] == pytest.approx(0.05)
    assert targets["country"]["type"] == "categorical"
    # Then the profile is stored, and a spec version points to it
    with Redis.from_url(redis_url) as redis:
        store = SpecStore(redis)
        data = store.get_reference("fraud", document["id"])
        latest = store.latest("fraud")
    assert data is not None
    profile = ReferenceProfile.from_bytes(data)
    assert (profile.n, profile.model, profile.source) == (600, "fraud", "train.csv")
    assert profile.id == document["id"]
    assert latest is not None and latest.number == 1
    assert latest.spec.reference.id == document["id"]


def test_the_page_says_what_was_left_out(run: Run, redis_url: str, training: Path) -> None:
    result = build(run, redis_url, training)
    assert "left out (no values, or words that hardly repeat): id" in result.stderr
    assert "600 rows, stored" in result.stderr and "spec version 1" in result.stderr
    assert "known" in build(run, redis_url, training).stderr
    with Redis.from_url(redis_url) as redis:
        assert len(SpecStore(redis).versions("fraud")) == 1


def test_an_existing_spec_keeps_what_it_says(
    run: Run, redis_url: str, training: Path, tmp_path: Path
) -> None:
    spec = tmp_path / "fraud.yaml"
    spec.write_text("model: fraud\nowner: risk\nreference: {min_events: 50}\n")
    assert run("--redis", redis_url, "apply", spec).exit_code == 0
    assert build(run, redis_url, training, "--id", "march").exit_code == 0
    with Redis.from_url(redis_url) as redis:
        latest = SpecStore(redis).latest("fraud")
    assert latest is not None and latest.number == 2
    assert latest.spec.owner == "risk"
    assert latest.spec.document()["reference"] == {"kind": "profile", "id": "march"}


def test_a_profile_may_be_stored_and_not_used(run: Run, redis_url: str, training: Path) -> None:
    result = build(run, redis_url, training, "--no-activate", "--id", "r1", "--ignore", "id")
    assert "`reference: {kind: profile, id: r1}`" in result.stderr
    assert "left out" not in result.stderr
    with Redis.from_url(redis_url) as redis:
        assert SpecStore(redis).latest("fraud") is None
    shown = run("--redis", redis_url, "reference", "show", "fraud")
    assert shown.exit_code == 1 and "none of the references of 'fraud' is in use" in shown.stderr
    assert run("--redis", redis_url, "reference", "show", "fraud", "--id", "r1").exit_code == 0


def test_show_lists_targets_and_the_others(run: Run, redis_url: str, training: Path) -> None:
    build(run, redis_url, training, "--id", "old")
    build(run, redis_url, training, "--id", "new", "--ordered")
    result = run("--redis", redis_url, "reference", "show", "fraud")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0].split()[:2] == ["TARGET", "TYPE"]
    assert [line.split()[0] for line in lines[1:]] == [
        "amount",
        "country",
        "output.label",
        "output.score",
    ]
    assert "reference new of fraud: 600 rows, in use" in result.stderr
    assert "others: old" in result.stderr
    old = json.loads(
        run("--redis", redis_url, "reference", "show", "fraud", "--id", "old", "-o", "json").stdout
    )
    assert old["in_use"] is False and old["id"] == "old"


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--id", "a:b"], 2, "can't be an id"),
        (["--output-column", "none"], 1, "has no column 'none'; it has: amount, country"),
        (["--ignore", "none"], 1, "has no column 'none'"),
        (["--categorical", "none"], 1, "has no column 'none'"),
    ],
)
def test_slips(
    run: Run, redis_url: str, training: Path, arguments: list[str], code: int, words: str
) -> None:
    result = build(run, redis_url, training, *arguments)
    assert result.exit_code == code
    assert words in result.stderr
    with Redis.from_url(redis_url) as redis:
        assert redis.dbsize() == 0


def test_numbers_are_categories_where_the_spec_or_the_option_says_so(
    run: Run, redis_url: str, tmp_path: Path
) -> None:
    spec, data = tmp_path / "m.yaml", tmp_path / "m.csv"
    spec.write_text("model: m\nfeatures: {code: {type: categorical}}\n")
    data.write_text("code,grade,x\n" + "".join(f"{i % 3},{i % 4},{i}\n" for i in range(200)))
    assert run("--redis", redis_url, "apply", spec).exit_code == 0
    arguments = ("reference", "build", "m", data, "--categorical", "grade", "-o", "json")
    result = run("--redis", redis_url, *arguments)
    types = {row["target"]: row["type"] for row in json.loads(result.stdout)["targets"]}
    assert types == {"code": "categorical", "grade": "categorical", "x": "numeric"}


def test_an_id_is_never_given_twice(run: Run, redis_url: str, training: Path) -> None:
    build(run, redis_url, training, "--id", "r1")
    training.write_text(training.read_text() + "row-x,5,SE,0.5,no\n")
    result = build(run, redis_url, training, "--id", "r1")
    assert result.exit_code == 1 and "choose another id" in result.stderr


def test_files_that_make_no_profile(run: Run, redis_url: str, tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    for text, words in [
        ("", "no rows"),
        ('{"a": "x"}\n{"a": 1}\n', "holds numbers and words"),
        ('{"a": null}\n', "no column that could be compared"),
    ]:
        path.write_text(text)
        result = run("--redis", redis_url, "reference", "build", "m", path)
        assert result.exit_code == 1
        assert words in result.stderr and result.stderr.count("\n") == 1


def test_a_damaged_profile_is_said(run: Run, redis_url: str, training: Path) -> None:
    build(run, redis_url, training, "--id", "r1")
    with Redis.from_url(redis_url) as redis:
        redis.set(reference_key("fraud", "r1"), b"\xc1 garbage")
    result = run("--redis", redis_url, "reference", "show", "fraud")
    assert result.exit_code == 1 and "is damaged" in result.stderr
    missing = run("--redis", redis_url, "reference", "show", "fraud", "--id", "r2")
    assert "there are: r1" in missing.stderr
    assert (
        "learns one from its stream" in run("--redis", redis_url, "reference", "show", "x").stderr
    )
