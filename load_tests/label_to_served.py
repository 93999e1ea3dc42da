"""How long from a label until a served model has learned from it, and how long a rollback takes.

    python load_tests/label_to_served.py [--seconds 40]

Everything runs as a user runs it (embedded broker, redis-server on PATH): a publisher sends
predictions and their labels, a learner learns, `ServedModel` follows its snapshots while a thread
asks it without a pause. The last line is machine-readable; exits 1 beyond a limit.
"""

from __future__ import annotations

import argparse
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from redis import Redis

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from services.stack.app import Stack
from streamgauge.registry.ledger import RegistryConflict
from streamgauge.registry.registry import ModelRegistry
from streamgauge.serving import ServedModel
from streamgauge.settings import load_settings
from streamgauge.specs import ModelSpec
from streamgauge.state.spec_store import SpecStore
from streamgauge_client import Publisher

MODEL = "served"
RATE = 100.0
LABEL_P99_SECONDS, ROLLBACK_SECONDS = 5.0, 2.0
SPEC = {
    "model": MODEL,
    "task": "binary",
    "label_delay": {"max": "60s"},
    "learning": {
        "challengers": {"online": {"estimator": "logistic_regression"}},
        "promotion": {"mode": "manual"},
        "snapshot": {"every": "1s"},
    },
}


class Asking(threading.Thread):
    """Asks without a pause; counts answers and failures."""

    def __init__(self, served: ServedModel) -> None:
        super().__init__(daemon=True)
        self._served, self._stopped = served, threading.Event()
        self.answers = self.failures = 0

    def run(self) -> None:
        while not self._stopped.is_set():
            try:
                self._served.ask({"a": 0.5, "b": -0.5})
                self.answers += 1
            except Exception:
                self.failures += 1
            time.sleep(0.001)

    def stop(self) -> None:
        self._stopped.set()
        self.join(timeout=5)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=40.0)
    options = parser.parse_args(arguments)
    settings = load_settings()
    with Stack(settings, say=print) as stack, Redis.from_url(stack.redis_url) as redis:
        effective = SpecStore(redis).apply(
            ModelSpec.from_document(SPEC), now=time.time(), by="load test"
        )
        time.sleep(max(effective.version.effective_at - time.time(), 0.0))
        return measure(stack, redis, options.seconds)


def measure(stack: Stack, redis: Redis, seconds: float) -> int:
    registry = ModelRegistry(redis, key=stack.key.encode())
    published: list[float] = []
    seen: list[tuple[float, int]] = []
    rng = np.random.default_rng(1)
    served = ServedModel(MODEL, redis=redis, key=stack.key.encode(), poll_seconds=0.1)
    asking: Asking | None = None
    with Publisher(stack.bootstrap_servers, model=MODEL, version="1", service="load") as publisher:
        began, known = time.monotonic(), 0
        while time.monotonic() - began < seconds:
            a, b = rng.normal(size=2).tolist()
            named = publisher.log({"a": a, "b": b}, {"label": "false", "score": 0.6})
            publisher.label(named, bool(a + b > 0))
            published.append(time.monotonic())
            if not known and len(published) % 50 == 0 and registry.records(MODEL):
                first = registry.records(MODEL)[0].version
                registry.promote(
                    MODEL,
                    first,
                    expected=None,
                    at=time.time(),
                    actor="load",
                    reason="follow",
                    follow=True,
                )
                served.start()
                asking = Asking(served)
                asking.start()
                known = first
            if served.version and (not seen or served.version != known):
                known = served.version
                examples = int(registry.record(MODEL, known).lineage["examples"])
                seen.append((time.monotonic(), examples))
            time.sleep(max(len(published) / RATE - (time.monotonic() - began), 0.0))
    assert asking is not None, "nothing was registered"
    delays = [
        next((at for at, examples in seen if examples > place), None)
        for place in range(len(published))
    ]
    took = np.array(
        [at - said for at, said in zip(delays, published, strict=True) if at is not None]
    )
    # Labels that came before anything served have waited for the promotion.
    took = took[len(took) // 4 :]
    # A second champion, so that there is one to go back to.
    another = registry.records(MODEL)[-3].version
    _promote(registry, another)
    target = registry.rollback_target(MODEL)
    while served.version != another:
        time.sleep(0.005)
    began = time.monotonic()
    registry.rollback(
        MODEL, to=target, expected=another, at=time.time(), actor="load", reason="measure"
    )
    while served.version != target and time.monotonic() - began < 10:
        time.sleep(0.005)
    rollback = time.monotonic() - began
    asking.stop()
    served.close()
    p50, p99 = np.quantile(took, 0.5), np.quantile(took, 0.99)
    print(f"{len(took)} labels, {len(seen)} snapshots served, {asking.answers:,} answers")
    print(
        f"served: label_p50_s={p50:.2f} label_p99_s={p99:.2f} rollback_s={rollback:.2f}"
        f" failed={asking.failures}"
    )
    good = p99 <= LABEL_P99_SECONDS and rollback <= ROLLBACK_SECONDS and not asking.failures
    return 0 if good else 1


def _promote(registry: ModelRegistry, version: int) -> None:
    """Make it champion, whichever snapshot is by now: the learner goes on meanwhile."""
    while True:
        pointer = registry.champion(MODEL)
        before = None if pointer is None else pointer.version
        try:
            registry.promote(
                MODEL, version, expected=before, at=time.time(), actor="load", reason="measure"
            )
            return
        except RegistryConflict:
            continue


if __name__ == "__main__":
    sys.exit(main())
