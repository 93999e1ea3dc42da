"""Faults by name."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from load_tests.faults.traffic import Shape

if TYPE_CHECKING:
    from load_tests.faults.rig import Rig

MODULES = ("worker_faults", "crash_faults", "broker_faults", "topic_faults", "recreated_faults",
           "redis_faults", "wire_faults", "stream_faults")  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A fault: what is done to the rig while traffic flows, and what may follow from it."""

    name: str
    strike: Callable[[Rig], None]
    shape: Shape = field(default_factory=Shape)
    #: How many monitors run from the beginning.
    workers: int = 1
    #: Redis, for the monitor, is behind a proxy.
    proxied: bool = False
    #: Topics are there before the monitor is.
    topics: bool = True
    #: Rules of pipeline alarms that this fault must raise, and how many different ones of each,
    #: where that is certain. Any other is a remark.
    raises: Mapping[str, int | None] = field(default_factory=dict)
    #: The monitors' settings: names without ``STREAMGAUGE_``.
    settings: Mapping[str, str] = field(default_factory=dict)
    #: Replaces monitoring settings.
    monitoring: Mapping[str, float] = field(default_factory=dict)

    @property
    def says(self) -> str:
        return (self.strike.__doc__ or "").partition("\n")[0]


_FAULTS: dict[str, Fault] = {}


def fault(**options: Any) -> Callable[[Callable[[Rig], None]], Callable[[Rig], None]]:
    """Register a function as the fault of its name."""

    def register(strike: Callable[[Rig], None]) -> Callable[[Rig], None]:
        add(Fault(name=strike.__name__, strike=strike, **options))
        return strike

    return register


def add(one: Fault) -> None:
    """Register a fault. Raises ``TypeError`` for a second one of the same name."""
    if one.name in _FAULTS:
        raise TypeError(f"two faults are called {one.name}")
    _FAULTS[one.name] = one


def faults() -> dict[str, Fault]:
    """All faults, by name, in the order of their files."""
    for module in MODULES:
        importlib.import_module(f"load_tests.faults.{module}")
    return dict(_FAULTS)
