"""The reference profile: histograms and moments of every feature, small enough to store."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any, Literal

import msgpack
import numpy as np
from numpy.typing import NDArray

from streamgauge.references.bins import Bins, CategoryBins, bins_from_plain

SCHEMA = 1


@dataclass(frozen=True)
class TargetReference:
    """One feature's (or output's) baseline.

    ``counts`` (bins,) are its values; ``blocks`` (k, bins) are counts of consecutive spans about as
    long as a judgement window, from which the distance between windows that differ by nothing is
    learned. k is 0 where the sample had no order in time.
    """

    type: Literal["numeric", "categorical"]
    bins: Bins
    counts: NDArray[np.int64]
    missing_ratio: float = 0.0
    mean: float | None = None
    std: float | None = None
    blocks: NDArray[np.int64] = field(default_factory=lambda: np.zeros((0, 0), dtype=np.int64))

    @property
    def n(self) -> int:
        return int(self.counts.sum())

    def plain(self) -> dict[str, Any]:
        return {
            "type": self.type,
            "bins": self.bins.plain(),
            "counts": self.counts.tolist(),
            "missing_ratio": self.missing_ratio,
            "mean": self.mean,
            "std": self.std,
            "blocks": self.blocks.tolist(),
        }

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> TargetReference:
        bins = bins_from_plain(plain["bins"])
        counts = np.array(plain["counts"], dtype=np.int64)
        if len(counts) != bins.size:
            raise ValueError(f"{len(counts)} counts for {bins.size} bins")
        blocks = np.array(plain["blocks"], dtype=np.int64).reshape(-1, bins.size)
        return cls(
            "categorical" if isinstance(bins, CategoryBins) else "numeric",
            bins,
            counts,
            float(plain["missing_ratio"]),
            plain["mean"],
            plain["std"],
            blocks,
        )


@dataclass(frozen=True)
class ReferenceProfile:
    """The baselines of one model's step, by target.

    A target is a feature's name, or ``output.score`` and ``output.label``. ``step`` is empty for a
    model of one step; ``version`` is the one whose outputs are described.
    """

    model: str
    targets: dict[str, TargetReference]
    n: int
    step: str = ""
    version: str | None = None
    source: str = ""

    def to_bytes(self) -> bytes:
        """MessagePack of plain values; the same profile gives the same bytes."""
        plain = {
            "schema": SCHEMA,
            "model": self.model,
            "step": self.step,
            "version": self.version,
            "source": self.source,
            "n": self.n,
            "targets": {name: self.targets[name].plain() for name in sorted(self.targets)},
        }
        packed: bytes = msgpack.packb(plain)
        return packed

    @classmethod
    def from_bytes(cls, data: bytes) -> ReferenceProfile:
        """Read a profile. Raises ``ValueError`` for bytes that are none."""
        try:
            plain = msgpack.unpackb(data)
            if plain["schema"] != SCHEMA:
                raise ValueError(f"schema {plain['schema']}, this version reads {SCHEMA}")
            targets = {
                name: TargetReference.from_plain(each) for name, each in plain["targets"].items()
            }
            return cls(
                plain["model"],
                targets,
                plain["n"],
                step=plain["step"],
                version=plain["version"],
                source=plain["source"],
            )
        except (
            AttributeError,
            KeyError,
            OverflowError,
            TypeError,
            ValueError,
            msgpack.UnpackException,
        ) as error:
            raise ValueError(f"not a reference profile: {error}") from error

    @property
    def id(self) -> str:
        """The first 12 hex digits of a hash of its bytes."""
        return hashlib.sha256(self.to_bytes()).hexdigest()[:12]

    def summary(self) -> list[dict[str, Any]]:
        """Return a row per target, for people."""
        return [
            {
                "target": name,
                "type": each.type,
                "n": each.n,
                "missing_ratio": each.missing_ratio,
                "mean": each.mean,
                "std": each.std,
                "bins": each.bins.size,
                "blocks": len(each.blocks),
            }
            for name, each in sorted(self.targets.items())
        ]
