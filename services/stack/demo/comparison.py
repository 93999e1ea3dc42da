"""Runs the usual recipe beside Streamgauge, as a plain consumer of the predictions topic."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from confluent_kafka import Consumer, KafkaException, TopicPartition

from services.stack.demo.recipe import UsualRecipe
from streamgauge_client.codec import DecodeError, decode
from streamgauge_client.events import PredictionEvent


class Comparison(threading.Thread):
    """Feeds each model's predictions to a recipe of its own, from now on."""

    def __init__(
        self,
        servers: str,
        topic: str,
        recipes: Mapping[str, UsualRecipe],
        *,
        security: Mapping[str, str],
    ) -> None:
        super().__init__(name="demo-comparison", daemon=True)
        self.recipes = recipes
        self.failure: Exception | None = None
        self._stopped = threading.Event()
        self._consumer = Consumer(
            {
                "bootstrap.servers": servers,
                **security,
                "group.id": "streamgauge-demo-comparison",
                "enable.auto.commit": False,
                "log_level": 3,
            }
        )
        partitions = self._consumer.list_topics(topic, timeout=10).topics[topic].partitions
        ends = [
            self._consumer.get_watermark_offsets(TopicPartition(topic, p), timeout=10)[1]
            for p in partitions
        ]
        self._consumer.assign(
            [TopicPartition(topic, p, end) for p, end in zip(partitions, ends, strict=True)]
        )

    @property
    def alarms(self) -> dict[str, int]:
        """Alarms so far by model."""
        return {model: recipe.alarms for model, recipe in self.recipes.items()}

    def run(self) -> None:
        try:
            while not self._stopped.is_set():
                for message in self._consumer.consume(num_messages=500, timeout=0.25):
                    if message.error() is None:
                        self._take(message.topic(), message.headers() or [], message.value())
        except (KafkaException, ValueError) as error:
            self.failure = error
        finally:
            self._consumer.close()

    def stop(self) -> None:
        """End it, and wait for that."""
        self._stopped.set()
        if self.is_alive():
            self.join(timeout=5)

    def _take(
        self, topic: str | None, headers: list[tuple[str, bytes]], value: bytes | None
    ) -> None:
        try:
            event = decode(topic or "", headers, value or b"")
        except DecodeError:
            return
        if isinstance(event, PredictionEvent) and (recipe := self.recipes.get(event.model)):
            recipe.observe(event.features)
