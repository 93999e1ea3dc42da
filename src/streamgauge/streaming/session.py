"""One opened partition number: chunks in, steps, checkpoints, until it is dropped.

A session is dropped whole. Whatever goes wrong with its state raises ``Reload``, and another is
opened from the store.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence

from streamgauge.processing import DeadLetter, Effects, LogRecord
from streamgauge.state.base import Checkpoint, CheckpointStore, StateTooLarge
from streamgauge.state.keys import PARTITION_FIELD
from streamgauge.streaming import dead_letters, outbox
from streamgauge.streaming.checkpoint import Checkpointer
from streamgauge.streaming.chunk import Chunk
from streamgauge.streaming.config import WorkerConfig
from streamgauge.streaming.guard import Guard, Reload
from streamgauge.streaming.idle_clock import IdleClock
from streamgauge.streaming.intake import Intake, Overtaken
from streamgauge.streaming.invalid_events import InvalidEvents
from streamgauge.streaming.ledger import Ledger
from streamgauge.streaming.log import SourceLog
from streamgauge.streaming.opening import Opened
from streamgauge.streaming.outbox_cap import OutboxCap
from streamgauge.streaming.pace import Pace, checkpoint_interval
from streamgauge.streaming.poison import Poison
from streamgauge.streaming.publisher import Outgoing, Publisher
from streamgauge.streaming.refusal import Refused, state_too_large
from streamgauge.streaming.same_log import check_same_log
from streamgauge.streaming.silences import Silences
from streamgauge.streaming.snapshot_log import SnapshotLog
from streamgauge.streaming.snapshotter import Snapshotter
from streamgauge.streaming.telemetry import WorkerTelemetry
from streamgauge_client.events import AlarmEvent, Event

logger = logging.getLogger(__name__)


#: The protocol's limit for writes that nobody notices. Above it, a slow write is the lesser evil.
LARGE_CHECKPOINT = 64 * 1024 * 1024


class Fenced(Exception):
    """Somebody else owns the partition in the store. Nothing more may leave from here."""


class Session:
    """Drives one processor over the records of one partition number. One task, no locks."""

    def __init__(
        self,
        number: int,
        opened: Opened,
        *,
        generation: int,
        config: WorkerConfig,
        store: CheckpointStore,
        log: SourceLog,
        snapshots: SnapshotLog | None,
        publisher: Publisher,
        clock: Callable[[], float],
        telemetry: WorkerTelemetry,
        poison: Poison,
        idle: IdleClock,
        store_away: Callable[[str], None],
    ) -> None:
        beginning = opened.beginning
        self.number = number
        self._processor = beginning.processor
        self._config = config
        self._log = log
        self._publisher = publisher
        self._clock = clock
        self._guard = Guard(
            beginning.processor,
            group=config.group,
            partition=number,
            poison=poison,
            idle=idle,
            telemetry=telemetry,
        )
        self._idle_clock = idle
        self._totals = telemetry
        self._telemetry = telemetry.partition(number)
        self._telemetry.dirty_since = None
        self._telemetry.committed = dict(opened.committed)
        self._note_durable(opened.base.offsets)
        self._ledger = Ledger(beginning.offsets, beginning.meta, config)
        self._invalid = InvalidEvents(number, config, beginning.meta.invalid)
        self.intake = Intake(
            self._ledger.positions,
            {config.full(name): end for name, end in opened.ends.items()},
            generation=generation,
            log=log,
            telemetry=telemetry,
            max_bytes=config.max_buffer_bytes,
            patience=config.merge_patience_seconds,
        )
        self._silences = Silences(config.silence_seconds)
        self._pace = Pace(longest=config.step_seconds, most=config.max_step_records)
        self._checkpointer = Checkpointer(
            store,
            number,
            owner=opened.owner,
            epoch=opened.epoch,
            telemetry=telemetry,
            away=store_away,
        )
        self._base = opened.base
        self._snapshots = Snapshotter(
            number,
            config=config,
            store=store,
            log=snapshots,
            clock=clock,
            telemetry=telemetry,
        )
        #: What the store lacks of a snapshot's state, and of its outbox.
        self._unwritten: Mapping[str, bytes] = {}
        self._restored: Mapping[str, bytes] = {}
        self._entries: dict[str, bytes] = {}
        self._letters: list[Outgoing] = []
        self._last_bytes = 0
        self._to_commit: Mapping[str, int] = {}
        self._commit_task: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._ending = asyncio.Event()
        self._stopping = False
        self._outbox = outbox.Outbox(number, store, publisher, self._telemetry)
        if beginning.restored:
            self._unwritten, self._restored = beginning.stored.blobs, beginning.stored.outbox
            self._touch()
        else:
            self._outbox.add(beginning.stored.outbox)
        self._outbox_cap = OutboxCap(number, config, telemetry)
        self._emit(opened.alarms)

    def feed(self, chunk: Chunk) -> None:
        """Queue a chunk."""
        self.intake.feed(chunk)
        self._wake.set()

    def stop(self) -> None:
        """Finish the step, write a last checkpoint, end."""
        self._stopping = True
        self._wake.set()
        self._ending.set()

    async def serve(self) -> None:
        """Run until stopped. Raises ``Reload``, ``Fenced`` or ``Refused``."""
        while not self._stopping:
            await self._judge()
            self._idle_clock.listen(self.intake.answered(), time.monotonic())
            worked = self._step()
            if self._checkpoint_due():
                await self.checkpoint()
            self._snapshots.look(self._base)
            if worked:
                await self._gather()
            elif not self.intake.waiting():
                self._wake.clear()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._config.tick_seconds):
                        await self._wake.wait()
        await self.checkpoint()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1.0):
                await self._outbox.emptied()
                if self._commit_task is not None:
                    await self._commit_task
        await self._snapshots.last(self._base)

    async def _gather(self) -> None:
        """Between steps: where little was there to take, let more come.

        A step has its price whatever it takes. Where a broker answers with three records at a time,
        that price would be paid for every three. A guarded step is small by intent, and waits not.
        """
        if self._pace.idle and not self._guard.careful(self._ledger.positions):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._config.gather_seconds):
                    await self._ending.wait()
        else:
            await asyncio.sleep(0)

    async def close(self) -> None:
        """Drop everything. What the outbox still holds is in the store."""
        await self._outbox.close()
        await self._snapshots.close()
        if self._commit_task is not None:
            self._commit_task.cancel()
            await asyncio.gather(self._commit_task, return_exceptions=True)

    def lag(self) -> dict[str, int]:
        """Records that are in the log and not processed, by full topic name."""
        return self.intake.lag(self._ledger.positions)

    def report(self) -> None:
        """Bring the telemetry up to date."""
        self._ledger.report(self.number, self._telemetry)
        self._telemetry.lag_records = self.lag()
        self._telemetry.next_timestamp = self.intake.next_timestamp()

    # -- records ---------------------------------------------------------------------------

    async def _judge(self) -> None:
        await self._look_again()
        try:
            await self.intake.judge()
        except Overtaken as why:
            # Write down what was read before; opening again counts the rest, exactly.
            self._process(self.intake.take_all())
            await self.checkpoint()
            raise Reload(str(why)) from why
        if topic := self.intake.truncated():
            raise Reload(f"{topic} ends before the position")

    async def _look_again(self) -> None:
        """After a silence of the broker, see that its topics are the same logs as before."""
        for topic in self._silences.over(self.intake.answers()):
            name = self._ledger.name(topic)
            last = self._ledger.meta.records.get(name)
            # What retention has deleted can't be compared; what was fetched of it is to be kept.
            if last is not None and (await self._log.bounds())[topic].start <= last.offset:
                await check_same_log(
                    self._log,
                    topic,
                    last,
                    group=self._config.group,
                    partition=self.number,
                    position=self._base.offsets[name],
                )

    def _step(self) -> bool:
        """Process a bounded number of records, or let idle time pass. False: nothing to do."""
        careful = self._guard.careful(self._ledger.positions)
        records = self.intake.take(1 if careful else self._pace.size)
        if not records:
            self._idle()
            return False
        started = time.monotonic()
        self._process(records)
        seconds = time.monotonic() - started
        self._totals.processing_seconds.append(("process", seconds))
        self._pace.took(seconds, len(records))
        self._totals.longest_step_seconds = max(self._totals.longest_step_seconds, seconds)
        return True

    def _process(self, records: Sequence[LogRecord]) -> None:
        letters = self._guard.letters(records)
        good = [r for i, r in enumerate(records) if i not in letters] if letters else records
        effects = self._guard.process(good) if good else Effects()
        for index, letter in letters.items():
            kind = self._ledger.kind(records[index])
            effects.extend(Effects(dead_letters=[letter], counts={(kind, "dead"): 1}))
        if self._config.dead_letters:
            try:
                effects.events += self._invalid.take(records, effects.dead_letters)
            except Refused as why:
                why.letters = [*self._letters, *map(self._buried, effects.dead_letters)]
                raise
        self._ledger.account(records, effects)
        if good:
            self._guard.passed(self._ledger.positions)
        self._deliver(effects)
        self._touch()

    def _idle(self) -> None:
        """At the end of the log the clock acts, a little late. Nowhere else."""
        now = time.monotonic()
        self._idle_clock.listen(self.intake.answered(), now)
        if not self._idle_clock.due(now) or not self.intake.at_end():
            return
        # What came after the broker showed the end is not known.
        behind = self._config.clock_lag_seconds + self._idle_clock.age(now)
        self._deliver(self._guard.advance(self._clock() - behind))
        self._idle_clock.ticked(now)
        self._touch()

    def _deliver(self, effects: Effects) -> None:
        self._emit(effects.events)
        if self._config.dead_letters:
            self._letters += [self._buried(letter) for letter in effects.dead_letters]

    def _buried(self, letter: DeadLetter) -> Outgoing:
        config = self._config
        return dead_letters.outgoing(letter, topic=config.dead_letter_topic, service=config.service)

    def _emit(self, events: Iterable[Event]) -> None:
        for event in events:
            config = self._config
            topic = config.alarms if isinstance(event, AlarmEvent) else config.models
            key, payload = outbox.entry(event, topic=topic, service=config.service)
            self._entries[key] = payload
            self._touch()

    def _touch(self) -> None:
        if self._telemetry.dirty_since is None:
            self._telemetry.dirty_since = time.monotonic()

    # -- checkpoints -----------------------------------------------------------------------

    def _checkpoint_due(self) -> bool:
        since = self._telemetry.dirty_since
        if since is None:
            return False
        interval = checkpoint_interval(self._config, self._last_bytes)
        return bool(self._entries or self._restored) or time.monotonic() - since >= interval

    async def checkpoint(self) -> None:
        """Everything since the last one in one write; then the outbox may leave."""
        changes = self._processor.dirty()
        offsets = self._ledger.offsets
        moved = offsets != dict(self._base.offsets)
        if not (moved or changes.blobs or changes.views or self._entries):
            self._telemetry.dirty_since = None
            return
        started = time.monotonic()
        await dead_letters.acknowledged(self._publisher, self._letters)
        self._letters = []
        meta = self._ledger.close(self._clock())
        following = self._base.advanced(offsets)
        # A store that was wiped has lost the views of models that are quiet now, too.
        views = {**self._processor.views(), **changes.views} if self._unwritten else changes.views
        view = meta.view(
            self.number,
            offsets,
            changes.gauges,
            following.checkpoint,
            lag=sum(self.lag().values()),
        )
        waiting = len(self._outbox) + len(self._restored)
        # What was in an outbox once is never dropped.
        entries = {**self._restored, **self._outbox_cap.admitted(self._entries, waiting)}
        self._entries = {}
        write = Checkpoint(
            base=self._base.text,
            position=following.text,
            meta=meta.to_bytes(),
            blobs={**self._unwritten, **changes.blobs},
            views={**views, PARTITION_FIELD: view.model_dump_json().encode()},
            outbox=entries,
        )
        self._warn_of_size(write)
        try:
            verdict = await self._checkpointer.put(write)
        except StateTooLarge as error:
            raise state_too_large(self._config.group, self.number, str(error)) from error
        if verdict == "FENCED":
            raise Fenced
        if verdict == "CONFLICT":
            raise Reload("the store went back to an older checkpoint, or somebody wrote to it")
        self._base, self._unwritten, self._restored = following, {}, {}
        self._note_durable(offsets)
        self._totals.processing_seconds.append(("checkpoint", time.monotonic() - started))
        self._telemetry.dirty_since = None
        self._last_bytes = sum(map(len, (*write.blobs.values(), *write.views.values())))
        self._totals.checkpoint_bytes.append(self._last_bytes)
        self._outbox.add(entries)
        self._commit_later()
        self.report()

    def _note_durable(self, offsets: Mapping[str, int]) -> None:
        self._telemetry.durable = {self._config.full(n): offset for n, offset in offsets.items()}

    def _warn_of_size(self, write: Checkpoint) -> None:
        if write.size > LARGE_CHECKPOINT:
            self._totals.large_checkpoints += 1
            logger.warning(
                "partition %d: a checkpoint of %.0f MiB; Redis stands still while it copies that."
                " %d models changed: give the topics more partitions and run more workers",
                self.number,
                write.size / 2**20,
                len(write.blobs),
            )

    def _commit_later(self) -> None:
        """Tell Kafka, as a hint for lag tools: never ahead of the store, never waited for."""
        self._to_commit = dict(self._ledger.positions)
        if self._commit_task is None or self._commit_task.done():
            self._commit_task = asyncio.create_task(self._commit_newest())

    async def _commit_newest(self) -> None:
        while self._to_commit:
            offsets, self._to_commit = self._to_commit, {}
            if await self._log.commit(offsets):
                self._telemetry.committed = offsets
