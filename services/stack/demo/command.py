"""The command ``python -m services.stack.demo``: the whole product, on one screen."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import redis
from rich.console import Console

from services.stack.app import Stack, stop_on_sigterm
from services.stack.demo import prediction_service, reference
from services.stack.demo.data import TRAINING, Reading, readings
from services.stack.demo.play import Place, Play
from services.stack.demo.screen import Screen, screen_for
from services.stack.demo.story import DEFAULT_SECONDS, Story
from services.stack.ports import free_port, port_is_free
from services.stack.reach import Unreachable
from services.stack.supervisor import Service, ServiceFailed
from streamgauge.access.redis import redis_client
from streamgauge.settings import Settings, SettingsError, load_settings

DESCRIPTION = """\
Streamgauge on one machine, on real data: a prediction service whose sensors go wrong, a model that
must stay silent, and a column that counts what the usual recipe would have sent.

The story: all is well; one sensor reports in another unit; it heals; another drops values; it
heals; then the world changes while every input stays as it is, and only late labels tell. With
DEMO_SECONDS (or --seconds; 90 or more) it takes that long and the demo ends by itself; without, it
takes 180 seconds and the demo goes on until Ctrl-C. At the end everything is stopped.
"""
#: What is shorter here than in production, so that the story fits in two minutes.
HASTE = {
    "pane_seconds": 1.0,
    "min_duration_seconds": 5.0,
    "min_events": 500,
    "grace_seconds": 0.0,
    "reference_min_events": 1_000,
    "reference_min_seconds": 20.0,
}
FIRST_PREDICTION = """\
Publish your own, to the address that {where}, in three lines:
    from streamgauge_client import Publisher
    publisher = Publisher("{servers}", model="mine", version="1")
    publisher.log(features={{"amount": 12.5}}, output=0.93)"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Perform the demo; the answer is the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m services.stack.demo",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--seconds",
        type=float,
        default=os.environ.get("DEMO_SECONDS") or None,
        help="end by itself after this long (default: DEMO_SECONDS, else Ctrl-C)",
    )
    options = parser.parse_args(arguments)
    if options.seconds is not None and not 1 <= options.seconds < float("inf"):
        parser.error(f"--seconds {options.seconds:g}: give 90 or more, so that the story has room")
    stop_on_sigterm()
    try:
        settings = hurried(load_settings())
        with tempfile.TemporaryDirectory(prefix="streamgauge-demo-") as logs:
            complete = perform(settings, seconds=options.seconds, logs=Path(logs))
    except KeyboardInterrupt:
        return 0 if options.seconds is None else 130
    except SettingsError as error:
        return fail(error, 2)
    except Unreachable as error:
        return fail(error, 3)
    except (ServiceFailed, RuntimeError, redis.RedisError, OSError) as error:
        return fail(error, 1)
    return 0 if complete else 1


def hurried(settings: Settings) -> Settings:
    """The settings with the demo's haste, and free ports, for what nobody has set."""
    given = settings.monitoring.model_fields_set
    changes: dict[str, object] = {
        "monitoring": settings.monitoring.model_copy(
            update={name: value for name, value in HASTE.items() if name not in given}
        )
    }
    for name, section in (
        ("monitor", settings.monitor),
        ("exporter", settings.exporter),
        ("learner", settings.learner),
    ):
        if "port" not in section.model_fields_set and not port_is_free(section.host, section.port):
            changes[name] = section.model_copy(update={"port": free_port()})
    return settings.model_copy(update=changes)


def perform(settings: Settings, *, seconds: float | None, logs: Path) -> bool:
    """Start everything, tell the story, and say what came of it; whether every event counted."""
    began = time.monotonic()

    def say(text: str) -> None:
        print(f"{time.monotonic() - began:6.1f} s  {text}", flush=True)

    screen = screen_for(Console())
    # What a crash says while the table stands must not tear it; so it takes the table's way.
    outlet: list[Callable[[str], None]] = [say]
    told = {
        f"STREAMGAUGE_MONITORING__{name.upper()}": str(value)
        for name, value in settings.monitoring.model_dump().items()
    }
    with Stack(settings, say=lambda t: outlet[0](t), environment=told, logs=logs) as stack:
        data = readings()
        place = prepare(stack, data, say)
        say(f"the console: {stack.page_url}   metrics: {stack.metrics_url}")
        for what in stack.volatile:
            say(f"in memory only, gone at exit: {what}")
        with Play(place, Story(seconds or DEFAULT_SECONDS), data) as play:
            outlet[0] = screen.say
            show(play, screen, seconds, servers=stack.bootstrap_servers)
            outlet[0] = say
            last = play.finish(lambda text: print(text, flush=True))
        print(
            FIRST_PREDICTION.format(
                where="`python -m services.stack` prints", servers="localhost:9092"
            )
        )
    print(last, flush=True)
    return play.complete


def prepare(stack: Stack, data: Sequence[Reading], say: Callable[[str], None]) -> Place:
    """Build the reference on the screen, and start the prediction service."""
    settings = stack.settings
    say(f"reference of {prediction_service.MODEL}: the first {TRAINING:,} of {len(data):,} rows …")
    profile = reference.build(prediction_service.MODEL, prediction_service.VERSION, data[:TRAINING])
    with redis_client(stack.redis) as client:
        effective = reference.apply(client, profile)
    say(f"reference {profile.id}: {len(profile.targets)} targets of {profile.n:,} events, applied")
    port = free_port()
    stack.run(
        Service(
            name="prediction service",
            module="services.stack.demo.prediction_service",
            arguments=(f"--port={port}",),
            ready_url=f"http://127.0.0.1:{port}/readyz",
            environment=stack.signing,
        )
    )
    time.sleep(max(0.0, effective - time.time()))
    return Place(
        servers=stack.bootstrap_servers,
        redis=stack.redis,
        security=settings.kafka.security,
        group=settings.monitor.group,
        topic_prefix=settings.kafka.topic_prefix,
        service_port=port,
    )


def show(play: Play, screen: Screen, seconds: float | None, *, servers: str) -> None:
    """Tell the story; without an end of its own, until Ctrl-C."""
    with screen:
        try:
            play.run(screen, until=seconds or DEFAULT_SECONDS)
            if seconds is None:
                screen.say("The story is told. It runs on; Ctrl-C ends it.")
                screen.say(FIRST_PREDICTION.format(where="is this demo's", servers=servers))
                play.run(screen, until=None)
        except KeyboardInterrupt:
            screen.say("stopping")


def fail(error: Exception, code: int) -> int:
    """Say what is wrong on standard error."""
    print(f"demo: {error}", file=sys.stderr, flush=True)
    return code
