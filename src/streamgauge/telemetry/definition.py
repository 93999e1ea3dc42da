"""What one exported number is: name, kind, meaning, labels. Data, from which all else is made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

PREFIX = "streamgauge"

Kind = Literal["counter", "gauge", "histogram", "states"]
#: Who exposes it. Each has one exposer, so that a sum over all scrapes counts nothing twice.
Exposer = Literal["exporter", "worker", "any", "ingest"]


@dataclass(frozen=True, slots=True, eq=False)
class Definition:
    """One metric of the exposition. It equals nothing but itself: it is a key of every series.

    ``name`` comes without the prefix and, for counters, without ``_total``. ``unit`` must end the
    name. A metric of kind ``states`` is a gauge with one more label, ``state``: one of them is 1,
    the others 0.
    """

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    unit: Literal["", "seconds", "bytes", "ratio"] = ""
    exposer: Exposer = "exporter"
    buckets: tuple[float, ...] = ()

    @property
    def full_name(self) -> str:
        """The name as Prometheus shows it, without a histogram's suffixes."""
        return f"{PREFIX}_{self.name}" + ("_total" if self.kind == "counter" else "")
