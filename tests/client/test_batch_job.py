"""The example of a batch job, run as its readers would: on files, with Kafka and without."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from streamgauge_client import PredictionBatch, decode
from streamgauge_client.events import BatchOutput

ReadTopic = Callable[[str, int], list[Any]]
JOB = Path(__file__).parents[2] / "schemas" / "examples" / "services" / "batch_job.py"
#: Nothing listens on port 1.
NOWHERE = "127.0.0.1:1"


def customers(rows: int) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    months = rng.integers(0, 60, rows).astype(float)
    months[::7] = np.nan
    return pd.DataFrame(
        {
            "customer_id": [f"c-{number}" for number in range(rows)],
            "country": pd.Series(rng.choice(["SE", "DE", "FR"], rows), dtype="category"),
            "months": months,
            "visits": rng.poisson(4, rows),
            "since": pd.date_range("2020-01-01", periods=rows, freq="h", tz="UTC"),
        }
    )


def run(source: Path, target: Path, servers: str, prefix: str) -> subprocess.CompletedProcess[str]:
    names = {
        "STREAMGAUGE_KAFKA__BOOTSTRAP_SERVERS": servers,
        "STREAMGAUGE_KAFKA__TOPIC_PREFIX": prefix,
    }
    return subprocess.run(
        [sys.executable, str(JOB), str(source), str(target)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env=os.environ | names,
    )


@pytest.mark.parametrize("suffix", ["parquet", "csv"])
def test_a_nightly_job(
    suffix: str, broker: str, unused_prefix: str, read_topic: ReadTopic, tmp_path: Path
) -> None:
    # Given a file of 12,000 customers
    frame = customers(12_000)
    source, target = tmp_path / f"customers.{suffix}", tmp_path / "scores.csv"
    frame.to_parquet(source) if suffix == "parquet" else frame.to_csv(source, index=False)
    # When the job has scored it
    done = run(source, target, broker, unused_prefix)
    assert done.returncode == 0, done.stderr
    assert "12000 scored" in done.stderr and "not all" not in done.stderr
    # Then its scores are on the disk
    scores = pd.read_csv(target)
    assert scores["customer_id"].tolist() == frame["customer_id"].tolist()
    # And every row is on the log, as the contract has it, in few messages
    sent = int(done.stderr.split(" messages to Kafka")[0].rpartition(" ")[2])
    assert 3 <= sent <= 10
    messages = read_topic(f"{unused_prefix}.predictions", sent)
    batches = [decode(one.topic(), one.headers(), one.value()) for one in messages]
    assert {one.key() for one in messages} == {b"churn"}
    rows: list[tuple[Any, ...]] = []
    for batch in batches:
        assert isinstance(batch, PredictionBatch) and isinstance(batch.output, BatchOutput)
        assert (batch.model, batch.version) == ("churn", "2.1.0")
        assert batch.tags == {"job": "nightly", "source": source.name}
        assert batch.features.keys() == {"months", "visits", "since"}
        assert set(batch.output.label) == {"leaves", "stays"} and batch.output.scores is not None
        rows += zip(
            batch.prediction_id, batch.features["months"], batch.segment["country"],
            batch.output.scores["leaves"], strict=True,
        )  # fmt: skip
    assert [row[0] for row in rows] == frame["customer_id"].tolist()
    assert [row[1] for row in rows] == [
        None if np.isnan(months) else months for months in frame["months"]
    ]
    assert [row[2] for row in rows] == frame["country"].tolist()
    assert [row[3] for row in rows] == pytest.approx(scores["leaves"].tolist())


def test_a_night_without_customers(broker: str, unused_prefix: str, tmp_path: Path) -> None:
    source, target = tmp_path / "none.csv", tmp_path / "scores.csv"
    customers(5).head(0).to_csv(source, index=False)
    done = run(source, target, broker, unused_prefix)
    assert done.returncode == 0, done.stderr
    assert "0 scored, 0 messages" in done.stderr and "not all" not in done.stderr


def test_a_night_without_kafka_has_its_scores_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a job whose watcher is switched off
    monkeypatch.setenv("STREAMGAUGE_DISABLED", "1")
    source, target = tmp_path / "customers.csv", tmp_path / "scores.csv"
    customers(50).to_csv(source, index=False)
    # When it runs
    done = run(source, target, NOWHERE, "nowhere")
    # Then it has done its work, and says what nobody will see
    assert done.returncode == 0, done.stderr
    assert len(pd.read_csv(target)) == 50
    assert "not all was published" in done.stderr
