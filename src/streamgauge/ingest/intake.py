"""The way of posted events onto the log: checked, joined, made private, sent, acknowledged."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from streamgauge.clock import Clock
from streamgauge.ingest import kserve
from streamgauge.ingest.appender import Outgoing
from streamgauge.ingest.checked import Checked, check
from streamgauge.ingest.kserve import Half
from streamgauge.ingest.pairing import Pair, Pairing
from streamgauge.ingest.posted import Posted, Refusal
from streamgauge.ingest.privacy import Policies, PolicyUnusable
from streamgauge.telemetry import Telemetry
from streamgauge.telemetry import ingest as numbers
from streamgauge_client.keys import partition_key

logger = logging.getLogger(__name__)

#: After so many events of one request the others get a turn; they take 20 ms or so.
_BREATH = 256


class Log(Protocol):
    """What records are put on."""

    def append(self, records: Sequence[Outgoing]) -> Awaitable[list[str]]:
        """For each record "", or why it may not be on the log."""


@dataclass(slots=True)
class Outcome:
    """What became of the events of one request.

    Parameters
    ----------
    accepted
        How many events are acknowledged by Kafka, or held until the other half of a call comes.
    refused
        Events that no repetition will make acceptable.
    unavailable
        Why others may be missing; the sender should post again.
    prediction_ids
        Those that single events of the accepted are about.
    """

    accepted: int = 0
    refused: list[Refusal] = field(default_factory=list)
    unavailable: str = ""
    prediction_ids: list[str] = field(default_factory=list)


class Intake:
    """Takes events of one request after the other, or of many at once on one event loop."""

    def __init__(
        self,
        *,
        log: Log,
        policies: Policies,
        pairing: Pairing,
        prefix: str,
        telemetry: Telemetry,
        clock: Clock,
    ) -> None:
        self._log = log
        self._policies = policies
        self._pairing = pairing
        self._prefix = prefix
        self._telemetry = telemetry
        self._clock = clock

    @property
    def policies_known(self) -> bool:
        """Whether anybody has said yet what may be kept; before that nothing is taken."""
        return self._policies.known

    async def take(self, found: Sequence[Posted | Refusal]) -> Outcome:
        """Take the events of a request; done when Kafka has acknowledged all that are accepted."""
        outcome = Outcome()
        checked: list[Checked] = []
        completed: list[tuple[Pair, Half]] = []
        for number, each in enumerate(found, start=1):
            if number % _BREATH == 0:
                await asyncio.sleep(0)
            if isinstance(each, Refusal):
                self._refuse(each, outcome)
            elif each.type in kserve.TYPES:
                self._take_half(each, outcome, checked, completed)
            else:
                self._check([each], outcome, checked)
        missing = await self._send(checked, outcome)
        outcome.accepted = len(found) - len(missing | {each.index for each in outcome.refused})
        for pair, late in completed:
            # It will be posted again, and must then find the other one.
            if late.posted.index in missing:
                self._pairing.put_back(pair, missing=late, now=self._clock())
        return outcome

    async def tend(self, *, every: float = 1.0) -> None:
        """Release what has waited long enough, every so often; until cancelled."""
        while True:
            await asyncio.sleep(every)
            await self.release()

    async def release(self) -> None:
        """Make predictions of responses whose requests have not come in time."""
        outcome = Outcome()
        checked: list[Checked] = []
        for index, response in enumerate(self._pairing.expired(now=self._clock())):
            self._check_all(kserve.predictions(None, response, index=index), outcome, checked)
        self._telemetry.set(numbers.HALVES_HELD, len(self._pairing))
        lost = await self._send(checked, outcome)
        if lost:
            self._telemetry.count(numbers.HALVES, len(lost), outcome="lost")
            logger.warning("%d lone responses are lost: %s", len(lost), outcome.unavailable)

    def _take_half(
        self,
        posted: Posted,
        outcome: Outcome,
        checked: list[Checked],
        completed: list[tuple[Pair, Half]],
    ) -> None:
        half = kserve.half_of(posted)
        if isinstance(half, Refusal):
            self._refuse(half, outcome)
        elif (pair := self._pairing.put(half, now=self._clock())) is not None:
            completed.append((pair, half))
            found = kserve.predictions(pair.request, pair.response, index=posted.index)
            self._check_all(found, outcome, checked)

    def _check_all(
        self, found: list[Posted] | Refusal, outcome: Outcome, checked: list[Checked]
    ) -> None:
        if isinstance(found, Refusal):
            self._refuse(found, outcome)
        else:
            self._check(found, outcome, checked)

    def _check(self, found: list[Posted], outcome: Outcome, checked: list[Checked]) -> None:
        """Judge events; of one body's event all predictions are taken or none."""
        now = self._clock()
        judged = [check(posted, prefix=self._prefix, now=now) for posted in found]
        refusals = [each for each in judged if isinstance(each, Refusal)]
        if refusals:
            self._refuse(refusals[0], outcome)
        else:
            checked += [each for each in judged if isinstance(each, Checked)]

    def _refuse(self, refusal: Refusal, outcome: Outcome) -> None:
        outcome.refused.append(refusal)
        self._telemetry.count(numbers.REFUSALS, reason=refusal.reason)

    async def _send(self, checked: list[Checked], outcome: Outcome) -> set[int]:
        """Put events on the log; the answer is the places of those that may not be there."""
        missing: set[int] = set()
        sent: list[Checked] = []
        records: list[Outgoing] = []
        for each in checked:
            try:
                records.append(self._record(each))
                sent.append(each)
            except PolicyUnusable as error:
                missing.add(each.index)
                outcome.unavailable = str(error)
            except ValueError as error:
                self._refuse(Refusal(each.index, "decode", str(error)), outcome)
        results = await self._log.append(records) if records else []
        for each, problem in zip(sent, results, strict=True):
            if problem:
                missing.add(each.index)
                outcome.unavailable = f"Kafka did not take it: {problem}"
            elif isinstance(found := getattr(each.event, "prediction_id", None), str):
                outcome.prediction_ids.append(found)
            self._telemetry.count(
                numbers.EVENTS, kind=each.kind, outcome="failed" if problem else "accepted"
            )
        return missing

    def _record(self, checked: Checked) -> Outgoing:
        model = checked.event.model
        value = self._policies.applied(
            model, checked.kind, checked.value, self._note_unfit, derived=checked.derived
        )
        key = partition_key(model, checked.subject_id, self._policies.shards(model))
        return Outgoing(checked.topic, key, checked.headers, value)

    def _note_unfit(self, name: str) -> None:
        self._telemetry.count(numbers.PRIVACY_UNFIT)
