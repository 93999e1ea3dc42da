"""The fault suite in short: one row, one run, on a real Kafka and a real Redis.

``test_kill.py`` has the kill; ``make faults`` has them all.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from load_tests.faults import report
from load_tests.faults.broker import Broker
from load_tests.faults.registry import faults
from load_tests.faults.run import run
from load_tests.faults.traffic import Shape
from services.stack.redis_server import real_server
from tests.integration.conftest import Kafka
from tests.missing import missing

SMALL = Shape(rows=16_000, seconds=5.0)


@pytest.mark.integration
@pytest.mark.parametrize("name", ["redis_regress", "redis_wiped"])
def test_nothing_is_lost_doubled_or_unequal(name: str, real_kafka: Kafka, tmp_path: Path) -> None:
    if real_server() is None:
        missing("no redis-server on PATH")
    # Given little traffic, of models that drift, with poison in it
    fault = replace(faults()[name], shape=SMALL)
    # When a fault strikes in the middle of it
    broker = Broker.running(real_kafka.bootstrap_servers)
    outcome = run(fault, broker, tmp_path / name, seed=3, number=0)
    # Then it recovers, and all is as one undisturbed pass makes it, alarms among it
    assert outcome.passed, report.progress(outcome, 1, 1)
    assert outcome.recount is not None and outcome.recount.alarms > 0
    assert outcome.recovery is not None
