"""Listens for the silence of each of a model's steps."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from streamgauge.batch.columns import rows_by_name
from streamgauge.monitor.silence import Gap, Silence
from streamgauge.monitor.step import MOST_STEPS
from streamgauge.specs.model_spec import ModelSpec


class Heard(NamedTuple):
    """A silence of a step that begins, or, with ``ended`` in seconds, that is over."""

    step: str
    gap: Gap
    ended: float | None = None


class Hearing:
    """The gaps between the records of every step, by the log's time."""

    def __init__(self) -> None:
        self._silences: dict[str, Silence] = {}

    @property
    def silent(self) -> Mapping[str, float]:
        """Steps of which nothing comes, and since when, in seconds."""
        return {
            step: silence.open.since
            for step, silence in sorted(self._silences.items())
            if silence.open is not None
        }

    def hear(
        self, steps: list[str], times: NDArray[np.float64], spec: ModelSpec
    ) -> Iterator[Heard]:
        """Take records in log order: their steps and the log's time, shape (n,).

        Yields what is over, and what was a silence though nobody noticed it while it lasted.
        """
        for step, rows in rows_by_name(steps):
            silence = self._silences.get(step)
            if silence is None:
                if len(self._silences) >= MOST_STEPS:
                    continue
                silence = self._silences[step] = Silence()
            told, silence.open = silence.open, None
            heard = np.maximum.accumulate(times[rows])
            if silence.last is not None:
                heard = np.maximum(heard, silence.last)
            if told is not None:
                yield Heard(step, told, float(heard[0]))
            gaps = silence.take(
                heard,
                learn_seconds=spec.reference.min_duration_seconds,
                after=spec.silence_after,
            )
            for gap, ended in gaps:
                if told is None or gap.since != told.since:
                    yield Heard(step, gap)
                    yield Heard(step, gap, ended)

    def notice(self, log_time: float) -> Iterator[Heard]:
        """Yield the silences that last at ``log_time`` and were not told."""
        for step, silence in self._silences.items():
            gap = silence.noticed(log_time) if silence.open is None else None
            if gap is not None:
                silence.open = gap
                yield Heard(step, gap)

    def stop(self, steps: Collection[str] | None = None) -> list[Heard]:
        """Listen no more, to some steps or to all; return the silences that nothing else would end.

        A step that speaks again is listened to again, from the beginning.
        """
        stopped = {
            step: self._silences.pop(step)
            for step in list(self._silences)
            if steps is None or step in steps
        }
        return [
            Heard(step, silence.open, silence.open.noticed)
            for step, silence in stopped.items()
            if silence.open is not None
        ]

    def state(self) -> dict[str, Any]:
        return {step: silence.state() for step, silence in sorted(self._silences.items())}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        made = cls()
        made._silences = {step: Silence.from_state(each) for step, each in state.items()}
        return made
