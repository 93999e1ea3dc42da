"""Workers around one log and one store, with everything between them in the hands of a test.

What a worker sends is served at once, cut, late, or never.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from streamgauge.processing import LogRecord
from streamgauge.state.base import StoreAmbiguous, StoreUnavailable
from streamgauge.state.positions import Positions
from streamgauge.streaming.log import LogUnavailable
from streamgauge.streaming.publisher import Outgoing, PublishFailed
from streamgauge.streaming.snapshot import Entry, Snapshot, read_back
from tests.streaming.disk import Disk
from tests.streaming.fakes import FakeLog, FakeSnapshotLog
from tests.streaming.process import CONFIG, Call, Process, Send
from tests.streaming.virtual_time import VirtualTime

WRITES = ("acquire", "checkpoint", "published", "publish", "commit", "snapshot")


class Cluster:
    """Everything outside of the workers, and the invariants that hold at every moment."""

    def __init__(self, disk: Disk) -> None:
        self.disk = disk
        disk.put_back({})
        self.loop = VirtualTime()
        self.log = FakeLog(CONFIG)
        self.snapshots = FakeSnapshotLog()
        #: What retention has taken from the log, by topic.
        self.history: dict[str, list[LogRecord]] = {}
        self.forgotten = False
        #: Snapshots were written by more than one worker at a time.
        self.mixed = False
        self.generation = 0
        #: The slot that holds the partition by Kafka's word.
        self.assigned = -1
        self.processes: list[Process] = []
        self.under_way: list[Call] = []
        #: Writes whose sender has given up on them; they may still be done.
        self.adrift: list[tuple[str, Send]] = []
        #: Writes to the store that were done once, for duplicates.
        self.done: list[tuple[str, Send]] = []
        self.images: list[Mapping[str, Any]] = [disk.copy()]
        #: Ids that were in the outbox of a checkpoint that stands, or once stood.
        self.durable: set[str] = set()
        self.published: dict[str, Outgoing] = {}
        self.letters: dict[tuple[str, int], Outgoing] = {}

    # -- time and messages ---------------------------------------------------------------------

    def run(self, seconds: float = 0.0) -> None:
        """Let time pass, serving what is sent."""
        self.loop.run_for(seconds, interrupted=lambda: bool(self._ready()), serve=self._serve)
        for process in self.processes:
            if failure := process.worker.failure:
                raise AssertionError("a worker failed") from failure
        self.processes = [p for p in self.processes if p.worker.state != "unassigned"]

    def _ready(self) -> list[Call]:
        return [c for c in self.under_way if not (c.process.stalled or c.process.dead)]

    def _serve(self) -> None:
        call = self._ready()[0]
        self.under_way.remove(call)
        if call.answer.done():  # cancelled; what is sent is sent
            self._set_adrift(call)
            return
        fault = next((f for op, f in call.process.faults if op == call.operation), None)
        if fault is not None:
            call.process.faults.remove((call.operation, fault))
        if fault == "killed":
            self.kill(call.process)
            return
        if fault == "late":
            self._set_adrift(call)
        if fault in ("away", "before", "late"):
            call.answer.set_exception(_failure(call.operation, fault))
            return
        result = self.do(call.operation, call.send)
        if fault == "dead":
            self.kill(call.process)
        elif fault == "after":
            call.answer.set_exception(_failure(call.operation, fault))
        elif fault == "slow":
            call.process.stalled = True

            async def known() -> Any:
                return result

            self.under_way.append(Call(call.process, "answer", known, call.answer))
        else:
            call.answer.set_result(result)

    def _set_adrift(self, call: Call) -> None:
        if call.operation in WRITES:
            self.mixed |= call.operation == "snapshot"
            self.adrift.append((call.operation, call.send))

    def do(self, operation: str, send: Send) -> Any:
        """Let a message arrive."""
        result = self.disk.run(send())
        if operation in ("acquire", "checkpoint"):
            self.done.append((operation, send))
        if operation in ("acquire", "checkpoint", "published"):
            image = self.disk.copy()
            check_order(self.disk.position(self.images[-1]), self.disk.position(image))
            self.images.append(image)
        return result

    def take(self, records: Sequence[Outgoing]) -> None:
        """Kafka takes what a worker publishes."""
        for record in records:
            headers = dict(record.headers)
            if record.topic == CONFIG.dead_letter_topic:
                source = (
                    headers["streamgauge_topic"].decode(),
                    int(headers["streamgauge_offset"]),
                )
                assert self.letters.setdefault(source, record) == record
                continue
            key = headers["ce_id"].decode()
            assert key in self.durable, f"{key} left before a checkpoint held it"
            assert self.published.setdefault(key, record) == record, "one id, two payloads"

    async def snapshot(self, process: Process, entry: Entry) -> None:
        """Kafka takes a record of a snapshot. Where there was a whole one, there still is.

        Unless a zombie writes too: then both slots may be half written until the next snapshot.
        """
        self.mixed |= process not in self.processes or process.generation != self.generation
        before = self.complete_snapshots()
        await self.snapshots.write(0, [entry])
        assert self.mixed or self.complete_snapshots() or not before, "none is complete any more"

    def complete_snapshots(self) -> list[Snapshot]:
        return read_back(self.snapshots.entries, CONFIG.group, 0, key=b"")

    # -- processes -----------------------------------------------------------------------------

    def assign(self, slot: int, generation: int) -> Process:
        """Kafka gives the partition to a worker, in a new session of it."""
        self.assigned, self.generation = slot, generation
        process = Process(self, slot, generation)
        self.processes.append(process)
        self.loop.call_soon(process.worker.start)
        self.run()
        return process

    def revoke(self, process: Process, *, kindly: bool) -> None:
        """The worker hears that the partition is no longer its own."""
        worker = process.worker
        self.loop.create_task(worker.drain(CONFIG.revoke_seconds) if kindly else worker.lose())

    def kill(self, process: Process) -> None:
        """Memory is gone. What was sent may arrive."""
        process.dead = True
        self.processes = [p for p in self.processes if p is not process]
        for call in [c for c in self.under_way if c.process is process]:
            self.under_way.remove(call)
            self._set_adrift(call)
        self.loop.create_task(process.worker.lose())

    def close(self) -> None:
        """End all tasks, and do nothing more."""
        for process in self.processes:
            process.dead = True
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        self.loop.run_for(0.0, interrupted=lambda: False, serve=lambda: None)
        self.loop.close()

    # -- the store ------------------------------------------------------------------------------

    def regress(self, writes: int) -> None:
        """The store goes back by so many writes, as after a failover, if the log goes back too."""
        images = self.images[: max(1, len(self.images) - writes)]
        if self.forgotten and not self._covered(self.disk.position(images[-1])):
            return
        self.images = images
        self.disk.put_back(self.images[-1])

    def forget(self) -> None:
        """Retention: the log loses what the store, and every snapshot, has behind it."""
        texts = [found.stored.position for found in self.complete_snapshots()]
        if self.mixed or len(texts) < 2:
            return
        self.forgotten = True
        positions = [Positions.parse(text).offsets for text in (*texts, self.position())]
        for topic in self.log.ends:
            name = topic.rpartition(".")[2]
            offset = min(each.get(name, 0) for each in positions)
            records = self.log.records[topic]
            self.history[topic] = [
                *self.history.get(topic, []),
                *(record for record in records if record.offset < offset),
            ]
            self.log.delete_before(topic, max(offset, self.log.starts[topic]))

    def whole_log(self) -> FakeLog:
        """The log as if nothing had been forgotten."""
        log = FakeLog(CONFIG)
        log.records = {t: self.history.get(t, []) + rs for t, rs in self.log.records.items()}
        return log

    def _covered(self, position: str) -> bool:
        """Whether the log still has what comes after a position."""
        offsets = Positions.parse(position or "#0").offsets
        return all(
            offsets.get(topic.rpartition(".")[2], 0) >= start
            for topic, start in self.log.starts.items()
        )

    def wipe(self) -> None:
        self.disk.put_back({})
        self.images.append(self.disk.copy())

    def position(self) -> str:
        """The position text in the store; empty where there is none."""
        return self.disk.position(self.images[-1])

    def durable_offsets(self) -> dict[str, int]:
        """Next offsets in the store, by full topic name."""
        text = self.position()
        offsets = Positions.parse(text).offsets if text else {}
        return {CONFIG.full(name): offset for name, offset in offsets.items()}


def check_order(before: str, after: str) -> None:
    """``next`` never falls."""
    if not before:
        return
    old, new = Positions.parse(before), Positions.parse(after)
    assert new.checkpoint >= old.checkpoint, f"{before} became {after}"
    for topic, offset in old.offsets.items():
        assert new.offsets[topic] >= offset, f"{before} became {after}"


def _failure(operation: str, fault: str) -> Exception:
    if operation in ("publish", "snapshot"):
        return PublishFailed(fault)
    if operation == "restore":
        return LogUnavailable(fault)
    return StoreUnavailable(fault) if fault == "away" else StoreAmbiguous(fault)
