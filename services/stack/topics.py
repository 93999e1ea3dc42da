"""Create the topics that a Kafka lacks, all inputs with the same number of partitions."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from services.stack.reach import Unreachable, create_topics, kafka_topics
from streamgauge.settings import KafkaSettings, SettingsError, load_settings
from streamgauge_client.topics import SOURCES, TOPICS

#: Partitions of new topics where no input topic says otherwise.
DEFAULT_PARTITIONS = 4


def prepare(kafka: KafkaSettings) -> list[str]:
    """Create what is missing; the answer is the names of that.

    Raises ``Unreachable`` where there is no Kafka, or where its topics can't be worked with.
    """
    names = [topic.under(kafka.topic_prefix) for topic in TOPICS]
    existing = kafka_topics(kafka.bootstrap_servers, security=kafka.security)
    sources = [topic.under(kafka.topic_prefix) for topic in SOURCES]
    counts = {name: existing[name] for name in sources if existing.get(name)}
    if len(set(counts.values())) > 1:
        listed = ", ".join(f"{name}: {count}" for name, count in counts.items())
        raise Unreachable(
            f"The input topics differ in their number of partitions ({listed}), so a label would"
            " miss its prediction.\n  Give all of them the greatest number."
        )
    partitions = next(iter(counts.values()), DEFAULT_PARTITIONS)
    return create_topics(
        kafka.bootstrap_servers,
        names,
        partitions=partitions,
        existing=existing,
        security=kafka.security,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """``python -m services.stack.topics``."""
    parser = argparse.ArgumentParser(prog="python -m services.stack.topics", description=__doc__)
    parser.add_argument("--config", metavar="FILE", help="settings file (default streamgauge.yaml)")
    options = parser.parse_args(arguments)
    try:
        created = prepare(load_settings(config=options.config).kafka)
    except SettingsError as error:
        print(f"topics: {error}", file=sys.stderr)
        return 2
    except Unreachable as error:
        print(f"topics: {error}", file=sys.stderr)
        return 3
    print(f"topics: created {', '.join(created)}" if created else "topics: all there")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
