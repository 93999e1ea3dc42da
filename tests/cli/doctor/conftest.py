from __future__ import annotations

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from streamgauge.cli.doctor.base import Check, Diagnosis
from streamgauge.cli.doctor.site import Site
from streamgauge.settings import Settings
from streamgauge_client.topics import TOPICS

NOW = 1_700_000_000.0
Look = Callable[..., Diagnosis]


def cluster(
    *,
    partitions: int | Mapping[str, int] = 4,
    without: tuple[str, ...] = (),
    brokers: Mapping[int, tuple[str, int]] | None = None,
    replicas: int = 1,
    headless: str = "",
    cluster_id: str = "real",
) -> Any:
    """Metadata as the Kafka client has it, of a cluster with the contract's topics."""
    made: dict[str, Any] = {}
    for topic in TOPICS:
        if topic.name in without:
            continue
        count = partitions if isinstance(partitions, int) else partitions.get(topic.name, 4)
        made[topic.under()] = SimpleNamespace(
            partitions={
                number: SimpleNamespace(
                    leader=-1 if topic.name == headless and number == 0 else 1,
                    replicas=list(range(replicas)),
                )
                for number in range(count)
            }
        )
    known = brokers or {1: ("127.0.0.1", 9092)}
    return SimpleNamespace(
        cluster_id=cluster_id,
        topics=made,
        brokers={n: SimpleNamespace(id=n, host=h, port=p) for n, (h, p) in known.items()},
    )


@pytest.fixture
def look() -> Look:
    """Ask one check about an installation of which this is known."""

    def ask(name: str, *, settings: Settings | None = None, **known: Any) -> Diagnosis:
        answers = {key.replace("info_", "info "): value for key, value in known.items()}
        with Site(settings or Settings(), clock=lambda: NOW, known=answers) as site:
            return Check.create(name).look(site)

    return ask
