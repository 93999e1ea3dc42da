"""What a single undisturbed pass over a log gives."""

from __future__ import annotations

import hashlib
from collections import Counter

from tests.streaming.fakes import LABELS, PREDICTIONS, FakeLog

FEEDBACK = "streamgauge.feedback"


class Oracle:
    """One pass over the log. Shares no code with the worker or its processor."""

    def __init__(self, log: FakeLog, *, every: int) -> None:
        self.state: dict[str, dict[str, int]] = {}
        self.alarms: set[str] = set()
        self.letters: set[tuple[str, int]] = set()
        self.counts: Counter[str] = Counter()
        kinds = {PREDICTIONS: "prediction", LABELS: "label", FEEDBACK: "feedback"}
        for topic, kind in kinds.items():
            for record in log.records[topic]:
                good = record.value == b"v"
                self.counts[f"{kind}/{'ok' if good else 'dead'}"] += 1
                if not good:
                    self.letters.add((topic, record.offset))
                    continue
                model, field = (record.key or b"").decode(), topic.removeprefix("streamgauge.")
                state = self.state.setdefault(model, {})
                state[field] = n = state.get(field, 0) + 1
                state[f"{field}.fold"] = (
                    state.get(f"{field}.fold", 0) * 31 + record.offset
                ) % 2**31
                if topic == PREDICTIONS and n % every == 0:
                    name = f"0/{model}/{n}".encode()
                    self.alarms.add(hashlib.blake2b(name, digest_size=16).hexdigest())
