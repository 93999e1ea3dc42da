"""Verifies the champions of all models now and then, and raises an alarm where one is refused."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from aiokafka.errors import KafkaError
from redis.exceptions import RedisError

from streamgauge.access.kafka import aiokafka_security
from streamgauge.access.redis import redis_client
from streamgauge.registry.archive import archive_at
from streamgauge.registry.audit import Auditor, accepted, refused
from streamgauge.registry.base import StoreFailed
from streamgauge.registry.registry import ModelRegistry
from streamgauge.registry.rejected import REASONS
from streamgauge.settings import Settings
from streamgauge.state.keys import model_key
from streamgauge.streaming import WorkerTelemetry
from streamgauge.streaming.publisher import KafkaPublisher, Outgoing, Publisher, PublishFailed
from streamgauge_client.codec import encode, source_uri
from streamgauge_client.events import AlarmEvent
from streamgauge_client.topics import ALARMS

logger = logging.getLogger(__name__)

#: Between two looks at champions, and the most of them in one: each is read as a whole.
LOOK_SECONDS = 10.0
MOST = 50
#: Counters of refusals that stand at 0, which is half of what a worker shows.
MOST_COUNTERS = 5_000


class Audits:
    """Says of each champion that is refused once that it is, and once that it is no more.

    The open alarm lies in Redis beside the model, so that a learner that starts anew, or another
    one, ends it. Several learners say the same alarm, by the same id.
    """

    def __init__(
        self, settings: Settings, *, publisher: Publisher, telemetry: WorkerTelemetry
    ) -> None:
        key = settings.state.key
        self._redis: Any = redis_client(
            settings.redis, socket_timeout=5.0, socket_connect_timeout=5.0
        )
        self._registry = ModelRegistry(
            self._redis,
            key=key.get_secret_value().encode() if key is not None else b"",
            archive=archive_at(settings.registry.archive),
        )
        self._auditor = Auditor(self._registry)
        self._topic = ALARMS.under(settings.kafka.topic_prefix)
        self._publisher = publisher
        self._telemetry = telemetry
        #: Of the list of models, where the next look begins.
        self._place = 0
        #: The refusal of each model that was counted and logged, whether Kafka took it or not.
        self._noted: dict[str, str] = {}

    async def look(self) -> None:
        """Verify champions, all or the next ones in turn.

        Raises what Redis, the archive and Kafka raise.
        """
        models = await asyncio.to_thread(self._registry.models)
        begin = self._place if self._place < len(models) else 0
        self._place = begin + MOST
        for model in models[begin : begin + MOST]:
            if len(self._telemetry.artefacts_refused) < MOST_COUNTERS:
                # A first refusal is a rise only where the 0 before it was seen.
                self._telemetry.artefacts_refused.update({(model, reason): 0 for reason in REASONS})
            error = await asyncio.to_thread(self._auditor.look, model)
            key = model_key(model, "refused")
            held = await asyncio.to_thread(self._redis.get, key)
            open_ = None if held is None else AlarmEvent.model_validate_json(held)
            if error is not None:
                alarm = refused(model, error)
                if self._noted.get(model) != alarm.alarm_id:
                    self._noted[model] = alarm.alarm_id
                    logger.error("%s", alarm.summary)
                    self._telemetry.artefacts_refused[model, error.reason] += 1
                if open_ is None or open_.alarm_id != alarm.alarm_id:
                    await self._say(alarm)
                    await asyncio.to_thread(self._redis.set, key, alarm.model_dump_json())
                continue
            self._noted.pop(model, None)
            if open_ is not None:
                await self._say(accepted(open_))
                await asyncio.to_thread(self._redis.delete, key)

    async def _say(self, alarm: AlarmEvent) -> None:
        encoded = encode(alarm, source=source_uri("learner"))
        key = alarm.model.encode()
        await self._publisher.publish(
            [Outgoing(self._topic, key, tuple(encoded.headers), encoded.value)]
        )


async def follow(settings: Settings, telemetry: WorkerTelemetry) -> None:
    """Look for ever. Whatever fails is said once, and tried again."""
    publisher = KafkaPublisher(
        settings.kafka.bootstrap_servers,
        "learner-audits",
        telemetry=telemetry,
        security=aiokafka_security(settings.kafka.security),
    )
    audits = Audits(settings, publisher=publisher, telemetry=telemetry)
    failing, started = "", False
    try:
        while True:
            try:
                if not started:
                    await publisher.start()
                    started = True
                await audits.look()
                failing = ""
            except (RedisError, StoreFailed, KafkaError, PublishFailed) as error:
                if str(error) != failing:
                    logger.warning("champions are not verified: %s; trying again", error)
                failing = str(error)
            except Exception as error:
                # Nobody looks at this task: were it to end, no champion would be verified again.
                if repr(error) != failing:
                    logger.exception("verifying champions fails, a defect; trying again")
                failing = repr(error)
            await asyncio.sleep(LOOK_SECONDS)
    finally:
        await publisher.stop()
