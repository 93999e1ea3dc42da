"""``python -m services.stack.demo.traffic``: the demo's two models alone, beside your own services.

The demo starts everything and shows a table. This is its traffic for a Streamgauge that runs
already, as ``docker compose --profile demo up`` has it.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack, closing

import redis

from services.stack.app import stop_on_sigterm
from services.stack.demo import prediction_service, reference
from services.stack.demo.data import TRAINING, readings
from services.stack.demo.pace import Paced
from services.stack.demo.play import Place, replay
from services.stack.demo.quiet import QuietModel
from services.stack.demo.story import SENTENCES, Story
from services.stack.ports import free_port
from services.stack.reach import Unreachable, check_redis
from services.stack.supervisor import Service, ServiceFailed, Supervisor
from services.stack.topics import prepare
from streamgauge.access.kafka import librdkafka_security
from streamgauge.access.redis import redis_client
from streamgauge.settings import Settings, SettingsError, load_settings

#: A window of production lasts a minute, and each phase must have some.
DEFAULT_SECONDS = 1800.0
READY_SECONDS = 45.0
LOOK_SECONDS = 0.5


def main(arguments: Sequence[str] | None = None) -> int:
    """Publish until told to stop; the answer is the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m services.stack.demo.traffic",
        description="Publishes the demo's two models to the Kafka of the settings, and applies its"
        " spec to the Redis of the settings. Told once, the story stays at its last phase.",
    )
    parser.add_argument(
        "--seconds",
        type=float,
        default=os.environ.get("DEMO_SECONDS") or DEFAULT_SECONDS,
        help="how long the story is (default: DEMO_SECONDS, else %(default)s)",
    )
    parser.add_argument(
        "--port", type=int, default=0, help="of the prediction service (default: a free one)"
    )
    options = parser.parse_args(arguments)
    if not 1 <= options.seconds < float("inf"):
        parser.error(f"--seconds {options.seconds:g}: give 90 or more, so that the story has room")
    stop_on_sigterm()
    try:
        perform(load_settings(), Story(options.seconds), port=options.port or free_port())
    except KeyboardInterrupt:
        return 0
    except SettingsError as error:
        return fail(error, 2)
    except Unreachable as error:
        return fail(error, 3)
    except (ServiceFailed, RuntimeError, redis.RedisError, OSError) as error:
        return fail(error, 1)
    return 0


def perform(settings: Settings, story: Story, *, port: int) -> None:
    """Apply the reference, start the prediction service, and call it until something fails."""
    prepare(settings.kafka)
    check_redis(settings.redis)
    data = readings()
    with closing(redis_client(settings.redis)) as client:
        training = data[:TRAINING]
        profile = reference.build(prediction_service.MODEL, prediction_service.VERSION, training)
        reference.apply(client, profile)
    place = Place(
        servers=settings.kafka.bootstrap_servers,
        redis=settings.redis,
        security=settings.kafka.security,
        group=settings.monitor.group,
        topic_prefix=settings.kafka.topic_prefix,
        service_port=port,
    )
    with ExitStack() as parts:
        supervisor = Supervisor(say=say)
        parts.callback(supervisor.stop)
        supervisor.start([service(settings, port)], timeout=READY_SECONDS)
        quiet = QuietModel(
            place.servers,
            story,
            topic_prefix=place.topic_prefix,
            security=librdkafka_security(place.security),
        )
        models: list[Paced] = [replay(place, story, data), quiet]
        for model in models:
            parts.callback(model.stop)
            model.start()
        watch(models, story)


def service(settings: Settings, port: int) -> Service:
    """The prediction service, with our addresses, wherever they came from."""
    return Service(
        name="prediction service",
        module="services.stack.demo.prediction_service",
        arguments=(f"--port={port}",),
        ready_url=f"http://127.0.0.1:{port}/readyz",
        environment={
            "STREAMGAUGE_KAFKA__BOOTSTRAP_SERVERS": settings.kafka.bootstrap_servers,
            "STREAMGAUGE_KAFKA__TOPIC_PREFIX": settings.kafka.topic_prefix,
            "STREAMGAUGE_REDIS__URL": settings.redis.url.get_secret_value(),
        },
    )


def watch(models: Sequence[Paced], story: Story) -> None:
    """Say each phase as it begins. Raises ``RuntimeError`` where a model stops."""
    began, told = time.monotonic(), ""
    while True:
        for model in models:
            if model.failure is not None:
                raise RuntimeError(f"{model.name} failed: {model.failure}") from model.failure
        elapsed = time.monotonic() - began
        phase = story.phase(elapsed)
        if phase != told:
            say(f"{elapsed:6.0f} s  {SENTENCES[phase]}")
            told = phase
        time.sleep(LOOK_SECONDS)


def say(sentence: str) -> None:
    """One line on standard output, at once also into a pipe."""
    print(f"traffic: {sentence}", flush=True)


def fail(error: Exception, code: int) -> int:
    """Say what is wrong on standard error."""
    print(f"traffic: {error}", file=sys.stderr, flush=True)
    return code


if __name__ == "__main__":
    raise SystemExit(main())
