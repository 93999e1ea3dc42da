"""Sampling: one prediction in k is sent, the same one whoever asks."""

from __future__ import annotations

import math

from streamgauge_client.keys import murmur2

#: How far from a whole number ``1 / sample_rate`` may be; 1/3 as a double is well within.
_TOLERANCE = 1e-9


class Sampling:
    """Keeps one prediction in ``every``, by a hash of its id.

    So a prediction that is logged by two processes is kept by both or by neither, and
    ``ce_sampledrate`` tells its readers how many events each one stands for.
    """

    __slots__ = ("every", "header")

    def __init__(self, every: int) -> None:
        self.every = every
        self.header = ("ce_sampledrate", b"%d" % every)

    @classmethod
    def of(cls, rate: float) -> Sampling | None:
        """What keeps the share ``rate``; None where all are kept. Raises ``ValueError``.

        >>> Sampling.of(0.25).every
        4
        """
        number = isinstance(rate, (int, float)) and not isinstance(rate, bool)
        if not number or not math.isfinite(rate) or not 0 < rate <= 1:
            raise ValueError(f"sample_rate={rate!r} is no share; give 1, 0.5, 0.25, 0.1, 0.01, …")
        every = round(1 / rate)
        if abs(every * rate - 1) > _TOLERANCE:
            raise ValueError(
                f"sample_rate={rate!r} is not 1/k for a whole k; give 1/{every} "
                "or another of 1, 0.5, 0.25, 0.1, 0.01, …"
            )
        return cls(every) if every > 1 else None

    def keeps(self, prediction_id: str) -> bool:
        # The purpose is part of what is hashed: shards go by the bare id, and with a common hash
        # a sample would leave some shards empty.
        return (murmur2(b"sample:" + prediction_id.encode()) & 0x7FFFFFFF) % self.every == 0
