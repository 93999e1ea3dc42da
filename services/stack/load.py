"""``python -m services.stack.load``: many events a second, to see what an installation takes.

What it publishes is synthetic and of no interest; how it fares stands on its own ``/metrics``.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
import threading
from collections.abc import Sequence
from contextlib import ExitStack

from prometheus_client import CollectorRegistry

from services.stack.app import stop_on_sigterm
from services.stack.demo.pace import Paced
from services.stack.demo.quiet import Thermostat
from streamgauge.access.kafka import librdkafka_security
from streamgauge.exposition.http import PortInUse, TelemetryServer
from streamgauge.settings import Settings, SettingsError, load_settings
from streamgauge_client import Publisher

DEFAULT_RATE = 1000.0
DEFAULT_PORT = 9814
MODELS = 4
#: Made before the first is published, so that the rate is the publisher's.
EVENTS = 10_000
SAY_SECONDS = 10.0


class LoadedModel(Paced):
    """One model, ``rate`` predictions a second."""

    def __init__(self, publisher: Publisher, *, rate: float, seed: int) -> None:
        super().__init__(f"load-{seed}", rate=rate)
        self.publisher = publisher
        world = Thermostat(seed=seed)
        self._events = [world.event(i / rate) for i in range(EVENTS)]

    def step(self, index: int, elapsed: float) -> None:
        features, output = self._events[index % EVENTS]
        self.publisher.log(features=features, output=output, latency_ms=2.0)

    def stop(self) -> None:
        super().stop()
        self.publisher.close()


def main(arguments: Sequence[str] | None = None) -> int:
    """Publish until told to stop; the answer is the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m services.stack.load", description=__doc__.partition("\n")[0]
    )
    parser.add_argument(
        "--rate",
        type=float,
        default=os.environ.get("LOAD_RATE") or DEFAULT_RATE,
        help="events a second over all models (default: LOAD_RATE, else %(default)s)",
    )
    parser.add_argument("--models", type=int, default=MODELS, help="default %(default)s")
    parser.add_argument("--host", default="127.0.0.1", help="where /metrics is; default 127.0.0.1")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="default %(default)s")
    options = parser.parse_args(arguments)
    if not (options.rate > 0 and math.isfinite(options.rate) and options.models >= 1):
        parser.error("--rate is above 0, and --models at least 1")
    stop_on_sigterm()
    try:
        settings = load_settings()
        perform(settings, options.rate, options.models, (options.host, options.port))
    except KeyboardInterrupt:
        return 0
    except SettingsError as error:
        print(f"load: {error}", file=sys.stderr, flush=True)
        return 2
    except (PortInUse, RuntimeError) as error:
        print(f"load: {error}", file=sys.stderr, flush=True)
        return 1
    return 0


def perform(settings: Settings, rate: float, count: int, where: tuple[str, int]) -> None:
    """Publish as told, and say every ten seconds what became of it."""
    registry = CollectorRegistry()
    models = []
    for number in range(count):
        publisher = Publisher(
            settings.kafka.bootstrap_servers,
            model=f"load-{number}",
            version="1",
            service="load",
            topic_prefix=settings.kafka.topic_prefix,
            kafka=librdkafka_security(settings.kafka.security),
        )
        publisher.register_metrics(registry)
        models.append(LoadedModel(publisher, rate=rate / count, seed=number))
    with ExitStack() as parts:
        server = TelemetryServer(
            registry, host=where[0], port=where[1], ready=lambda: unready(models), setting="--port"
        )
        server.start()
        parts.callback(server.stop)
        for model in models:
            parts.callback(model.stop)
            model.start()
        quiet = threading.Event()
        while not quiet.wait(SAY_SECONDS):
            say(models)


def unready(models: Sequence[LoadedModel]) -> str | None:
    """Why nothing flows, in a few words; None where it does."""
    if failed := [model.name for model in models if model.failure is not None]:
        return f"{', '.join(failed)} stopped"
    if not any(model.publisher.stats().delivered for model in models):
        return "Kafka has acknowledged nothing yet"
    return None


def say(models: Sequence[LoadedModel]) -> None:
    """One line of what became of the events. Raises ``RuntimeError`` where a model stopped."""
    for model in models:
        if model.failure is not None:
            raise RuntimeError(f"{model.name} failed: {model.failure}") from model.failure
    stats = [model.publisher.stats() for model in models]
    delivered, queued = sum(s.delivered for s in stats), sum(s.queued for s in stats)
    lost = sum(s.failed + sum(s.dropped.values()) for s in stats)
    print(f"load: {delivered:,} delivered, {queued:,} wait, {lost:,} lost", flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
