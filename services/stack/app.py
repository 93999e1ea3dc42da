"""The stack: a broker and a Redis (embedded, or yours), and every service beside them."""

from __future__ import annotations

import contextlib
import secrets
import signal
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from pydantic import SecretStr

from services.stack.broker import EmbeddedBroker
from services.stack.key_file import kept_key, key_file
from services.stack.reach import Unreachable, check_ports, check_redis
from services.stack.redis_server import EmbeddedRedis
from services.stack.supervisor import Service, Supervisor
from services.stack.topics import prepare
from streamgauge.settings import (
    KafkaSecurity,
    ProcessSettings,
    RedisSecurity,
    RedisSettings,
    Settings,
)
from streamgauge_client.topics import TOPICS

READY_SECONDS = 45.0


class Stack:
    """``with Stack(settings, say=print) as stack: …``: all of it runs inside, nothing after.

    Kafka and Redis are yours where the settings name them, else embedded.

    Parameters
    ----------
    say
        Takes each sentence about what happens.
    environment
        More settings for the services, as environment variables.
    logs
        Directory for what the services write; without one they write where we do.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        say: Callable[[str], None],
        environment: Mapping[str, str] | None = None,
        logs: Path | None = None,
    ) -> None:
        self.settings = settings
        self.bootstrap_servers = settings.kafka.bootstrap_servers
        self.redis_url = settings.redis.url.get_secret_value()
        self.supervisor = Supervisor(say=say, logs=logs)
        #: What lives in memory only, in words; empty where nothing does.
        self.volatile: list[str] = []
        #: What models are signed with; empty where they can't be, so nothing learns.
        self.key = ""
        self._say = say
        self._environment = dict(environment or {})
        self._parts = contextlib.ExitStack()

    @property
    def page_url(self) -> str:
        """Where a person looks."""
        return f"http://{self.settings.exporter.host}:{self.settings.exporter.port}/"

    @property
    def metrics_url(self) -> str:
        return f"{self.page_url}metrics"

    @property
    def ingest_url(self) -> str:
        """Where events are posted."""
        return f"http://{self.settings.ingest.host}:{self.settings.ingest.port}/v1/events"

    @property
    def redis(self) -> RedisSettings:
        """How this stack's Redis is reached."""
        return self.settings.redis.model_copy(update={"url": SecretStr(self.redis_url)})

    @property
    def shown_redis(self) -> str:
        """The Redis' address without user and password."""
        scheme, _, rest = self.redis_url.partition("://")
        return f"{scheme}://{rest.rpartition('@')[2]}"

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs to be told to use this stack."""
        return {
            **self._environment,
            "STREAMGAUGE_KAFKA__BOOTSTRAP_SERVERS": self.bootstrap_servers,
            "STREAMGAUGE_KAFKA__TOPIC_PREFIX": self.settings.kafka.topic_prefix,
            "STREAMGAUGE_REDIS__URL": self.redis_url,
            **(self.signing if self._given_key else {}),
        }

    @property
    def signing(self) -> dict[str, str]:
        """What a process needs besides that signs models or loads them.

        The others are not told a key that we made: a Redis that outlives us may hold their states,
        from before there was one, and those would be refused.
        """
        return {"STREAMGAUGE_STATE__KEY": self.key} if self.key else {}

    def __enter__(self) -> Stack:
        try:
            check_ports(list(self._listeners.items()))
            self._start_kafka()
            self._start_redis()
            self.key = self._signing_key()
            self.run(*self._services())
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        # A second Ctrl-C must not leave half of it running; all of this ends within ten seconds.
        with _signals_ignored():
            self.supervisor.stop()
            self._parts.close()

    def run(self, *services: Service) -> None:
        """Start services in this stack, and wait until they are ready."""
        told = [
            Service(
                name=service.name,
                module=service.module,
                ready_url=service.ready_url,
                arguments=service.arguments,
                environment={**self.environment, **service.environment},
            )
            for service in services
        ]
        with self._step(" and ".join(service.name for service in services)):
            self.supervisor.start(told, timeout=READY_SECONDS)

    @property
    def _listeners(self) -> dict[str, ProcessSettings]:
        """The services by name, with where each listens."""
        told = self.settings
        return {
            "monitor": told.monitor,
            "exporter": told.exporter,
            "ingest": told.ingest,
            "notifier": told.notifier,
            "learner": told.learner,
        }

    def _services(self) -> Sequence[Service]:
        return [
            Service(
                name=name,
                module=f"services.{name}",
                ready_url=f"http://{_local(section.host)}:{section.port}/readyz",
                environment={
                    f"STREAMGAUGE_{name.upper()}__PORT": str(section.port),
                    **(self.signing if name == "learner" else {}),
                },
            )
            for name, section in self._listeners.items()
            if name != "learner" or self.key
        ]

    @property
    def _given_key(self) -> str:
        given = self.settings.state.key
        return "" if given is None else given.get_secret_value()

    def _signing_key(self) -> str:
        """The key that was given, else one of ours; empty where none can be kept."""
        if self._given_key:
            return self._given_key
        if "url" not in self.settings.redis.model_fields_set:
            # The Redis ends with us, and nobody will have to read its states.
            return secrets.token_hex(32)
        try:
            path = key_file()
            key = kept_key(path)
        except OSError as error:
            self._say(
                f"no learner: no model can be signed, as a key can't be kept ({error}); set"
                " STREAMGAUGE_STATE__KEY"
            )
            return ""
        self._say(
            f"models are signed with the key in {path}; keep it: without it none is loaded"
            " (STREAMGAUGE_STATE__KEY_FILE tells commands where it is)"
        )
        return key

    def _start_kafka(self) -> None:
        if "bootstrap_servers" not in self.settings.kafka.model_fields_set:
            _refuse_security("kafka.security", self.settings.kafka.security, "bootstrap_servers")
            with self._step("Kafka, embedded: librdkafka's own broker"):
                names = [topic.under(self.settings.kafka.topic_prefix) for topic in TOPICS]
                broker = self._parts.enter_context(EmbeddedBroker(names))
                self.bootstrap_servers = broker.bootstrap_servers
            self.volatile.append(
                "all topics (embedded broker; a partition keeps its last 5 MiB or 100,000 records)"
            )
            return
        with self._step(f"Kafka at {self.bootstrap_servers}"):
            created = prepare(self.settings.kafka)
        if created:
            self._say(f"created {len(created)} topics: {', '.join(created)}")

    def _start_redis(self) -> None:
        if "url" in self.settings.redis.model_fields_set:
            with self._step("Redis, the one that the settings name"):
                check_redis(self.settings.redis)
            return
        _refuse_security("redis.security", self.settings.redis.security, "url")
        with self._step("Redis, embedded"):
            server = self._parts.enter_context(EmbeddedRedis())
            self.redis_url = server.url
        kind = "redis-server in a temporary directory" if server.kind == "real" else "fakeredis"
        self.volatile.append(f"all state and views ({kind})")

    @contextlib.contextmanager
    def _step(self, what: str) -> Iterator[None]:
        started = time.monotonic()
        yield
        self._say(f"{what}: ready in {time.monotonic() - started:.1f} s")


def _refuse_security(name: str, security: KafkaSecurity | RedisSecurity, address: str) -> None:
    """Raise ``Unreachable`` where security is asked for of what is embedded, and has none."""
    if security.model_fields_set:
        section = name.partition(".")[0]
        raise Unreachable(
            f"{name} is set, but {section}.{address} is not, and the embedded {section.title()}"
            f" knows neither TLS nor users.\n  Set {section}.{address}, or unset {name}."
        )


def stop_on_sigterm() -> None:
    """Take SIGTERM as Ctrl-C is taken, so that every ``with`` above us closes."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # A shell starts background jobs with SIGINT ignored; we are told to stop by it all the same.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@contextlib.contextmanager
def _signals_ignored() -> Iterator[None]:
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, signal.SIG_IGN) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def _local(host: str) -> str:
    """The address under which we reach what listens at ``host``."""
    unspecified = host in ("0.0.0.0", "::", "")
    if unspecified:
        return "127.0.0.1"
    return f"[{host}]" if ":" in host and not host.startswith("[") else socket.gethostbyname(host)
