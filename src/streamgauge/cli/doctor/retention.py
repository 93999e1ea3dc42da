"""Whether Kafka keeps records long enough, and whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from streamgauge.cli.doctor.base import Check, Diagnosis, ok, skipped, some
from streamgauge.cli.doctor.site import Site

_SECONDS = 5.0
_HOUR_MS, _DAY_MS = 3_600_000, 86_400_000
#: Less than an outage of a weekend night; then records are gone before anybody reads them.
_SHORTEST_MS = 6 * _HOUR_MS


class Retention(Check, name="retention"):
    """Retention, compaction and largest message of each topic, against the contract."""

    place = 50
    needs = ("kafka",)

    def look(self, site: Site) -> Diagnosis:
        from confluent_kafka import KafkaException

        if site.embedded:
            return skipped("embedded broker: not checked; it keeps 5 MiB of a partition")
        try:
            found = self._configurations(site)
        except KafkaException as error:
            return skipped(f"can't tell: the broker does not say ({error.args[0].str()})")
        wrong, short = [], []
        for topic, config in found:
            wrong += list(_wrong(topic, config))
            short += list(_short(topic, config))
        if wrong:
            return Diagnosis(
                "problem",
                some(wrong),
                "kafka-configs.sh --alter --entity-type topics, or ask whoever runs Kafka",
            )
        if short:
            return Diagnosis(
                "warning", some(short), "raise retention.ms: what is gone can't be replayed"
            )
        return ok(f"as the contract has it, or longer, in {len(found)} topics")

    def _configurations(self, site: Site) -> list[tuple[Any, Mapping[str, str]]]:
        from confluent_kafka.admin import ConfigResource

        from streamgauge_client.topics import TOPICS

        prefix, there = site.settings.kafka.topic_prefix, site.metadata.topics
        wanted = {topic.under(prefix): topic for topic in TOPICS if topic.under(prefix) in there}
        resources = [ConfigResource(ConfigResource.Type.TOPIC, name) for name in wanted]
        if not resources:
            return []
        answers = site.admin.describe_configs(resources, request_timeout=_SECONDS)
        return [
            (
                wanted[resource.name],
                {key: entry.value for key, entry in future.result(timeout=_SECONDS + 1).items()},
            )
            for resource, future in answers.items()
        ]


def _wrong(topic: Any, config: Mapping[str, str]) -> list[str]:
    """What loses records, or stops the work."""
    found = []
    compacting = "compact" in config.get("cleanup.policy", "")
    if compacting and not topic.compacted:
        found.append(f"{topic.name} is compacted: of each model only the last event stays")
    if topic.compacted and not compacting:
        found.append(f"{topic.name} is not compacted: snapshots are lost with their age")
    largest = int(config.get("max.message.bytes", topic.max_message_bytes))
    if largest < topic.max_message_bytes:
        found.append(
            f"{topic.name} takes messages of {largest} bytes only, not"
            f" {topic.max_message_bytes} (max.message.bytes)"
        )
    kept = int(config.get("retention.ms", -1))
    if not topic.compacted and 0 <= kept < _SHORTEST_MS:
        found.append(f"{topic.name} is kept for {kept / _HOUR_MS:.2g} h only (retention.ms)")
    return found


def _short(topic: Any, config: Mapping[str, str]) -> list[str]:
    """What is shorter than the contract says."""
    kept = int(config.get("retention.ms", -1))
    if topic.compacted or kept < 0:
        return []
    wanted = topic.retention_days
    if wanted is None:
        return [f"{topic.name} is kept for {kept / _DAY_MS:.2g} days, and should be for ever"]
    if kept < wanted * _DAY_MS:
        return [f"{topic.name} is kept for {kept / _DAY_MS:.2g} days, not {wanted}"]
    return []
