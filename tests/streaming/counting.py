"""A small deterministic processor: counts and folds every record, raises an alarm every n."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence

from streamgauge.processing import Changes, DeadLetter, Effects, LogRecord
from streamgauge_client.events import AlarmEvent

EVERY = 100
KINDS = {"predictions": "prediction", "labels": "label", "feedback": "feedback", "models": "model"}


class CountingProcessor:
    """State per model: records by topic, and a fold over (topic, offset) in the order taken."""

    #: Every ``advance`` raises.
    broken_clock = False
    #: No record raises any more.
    mended = False

    def __init__(self, partition: int) -> None:
        self.partition = partition
        self.models: dict[str, dict[str, int]] = {}
        self.changed: set[str] = set()
        self.advanced: list[float] = []
        self.taken: list[tuple[str, int]] = []
        self.steps = 0

    def restore(self, blobs: Mapping[str, bytes]) -> None:
        self.models = {model: json.loads(blob) for model, blob in blobs.items()}

    def process(self, records: Sequence[LogRecord]) -> Effects:
        self.steps += 1
        effects = Effects()
        for record in records:
            if record.value == b"raise" and not self.mended:
                raise RuntimeError("a defect")
            self._take(record, effects)
        return effects

    def advance(self, log_time: float) -> Effects:
        self.advanced.append(log_time)
        if self.broken_clock:
            raise RuntimeError("a defect of idle time")
        return Effects()

    def dirty(self) -> Changes:
        blobs = {m: json.dumps(self.models[m], sort_keys=True).encode() for m in self.changed}
        self.changed.clear()
        return Changes(blobs, dict(blobs), {"models": float(len(self.models))})

    def views(self) -> Mapping[str, bytes]:
        return {m: json.dumps(s, sort_keys=True).encode() for m, s in self.models.items()}

    def _take(self, record: LogRecord, effects: Effects) -> None:
        topic = record.topic.rpartition(".")[2]
        self.taken.append((topic, record.offset))
        bad = record.value is None or record.value.startswith(b"bad")
        outcome = (KINDS[topic], "dead" if bad else "ok")
        effects.counts[outcome] = effects.counts.get(outcome, 0) + 1
        if bad:
            effects.dead_letters.append(DeadLetter(record, "decode", "it is bad"))
            return
        model = (record.key or b"?").decode()
        state = self.models.setdefault(model, {})
        state[topic] = state.get(topic, 0) + 1
        # Per topic, because Kafka fixes no order between topics.
        fold = state.get(f"{topic}.fold", 0)
        state[f"{topic}.fold"] = (fold * 31 + record.offset) % (2**31)
        self.changed.add(model)
        if topic == "predictions" and state[topic] % EVERY == 0:
            effects.events.append(alarm(self.partition, model, state[topic]))


def alarm(partition: int, model: str, n: int) -> AlarmEvent:
    name = f"{partition}/{model}/{n}"
    return AlarmEvent(
        alarm_id=hashlib.blake2b(name.encode(), digest_size=16).hexdigest(),
        fingerprint=model,
        status="firing",
        severity="info",
        kind="traffic",
        scope={},
        model=model,
        summary=name,
    )
