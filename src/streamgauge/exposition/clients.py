"""The processes that publish for a model, put together by service."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from streamgauge.state.views import ClientView

#: A heartbeat comes every ten seconds; a process of which none came for so long is gone.
ALIVE_SECONDS = 60.0
#: Measured by the worst process, because their sum says nothing; all others add up.
_WORST = frozenset({"cpu_ratio", "load_1m", "gpu_ratio"})


@dataclass(frozen=True, slots=True)
class ServiceSummary:
    """The living processes of one service; of those that are gone, when they were last heard."""

    service: str
    processes: int
    last_seen: float
    measurements: dict[str, float]


def newest(views: Iterable[ClientView]) -> tuple[ClientView, ...]:
    """Each process once, by its newest heartbeat: one that writes to two shards is still one."""
    found: dict[tuple[str, str], ClientView] = {}
    for view in views:
        key = (view.service, view.instance)
        if key not in found or view.last_seen > found[key].last_seen:
            found[key] = view
    return tuple(found[key] for key in sorted(found))


def service_summaries(clients: Iterable[ClientView], *, now: float) -> list[ServiceSummary]:
    """One for each service, those with most processes first."""
    services: dict[str, list[ClientView]] = defaultdict(list)
    for client in clients:
        services[client.service].append(client)
    found = [_service(name, each, now) for name, each in services.items()]
    return sorted(found, key=lambda each: (-each.processes, each.service))


def _service(name: str, clients: list[ClientView], now: float) -> ServiceSummary:
    alive = [client for client in clients if client.last_seen > now - ALIVE_SECONDS]
    values: dict[str, list[float]] = defaultdict(list)
    for client in alive:
        for measured, value in client.measurements.items():
            if math.isfinite(value):
                values[measured].append(value)
    return ServiceSummary(
        service=name,
        processes=len(alive),
        last_seen=max(client.last_seen for client in clients),
        measurements={
            measured: max(each) if measured in _WORST else sum(each)
            for measured, each in values.items()
        },
    )
