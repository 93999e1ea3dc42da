"""A Kafka broker without Java: librdkafka's mock cluster in a child process.

In memory only: everything is gone at exit, and a partition keeps 5 MiB or 100,000 records,
whichever comes first. Topics appear when they are first asked for, with 4 partitions.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from confluent_kafka import Producer

from services.stack.child import Child, until_stopped, write_state


class EmbeddedBroker(Child):
    """``with EmbeddedBroker(topics) as broker: broker.bootstrap_servers``."""

    def __init__(self, topics: Sequence[str] = ()) -> None:
        super().__init__("services.stack.broker", *(f"--topic={name}" for name in topics))

    def __enter__(self) -> EmbeddedBroker:
        super().__enter__()
        return self

    @property
    def bootstrap_servers(self) -> str:
        return self.state["bootstrap_servers"]


def main() -> None:
    """Run the mock cluster until the parent ends or says so."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--state-file", type=Path, required=True)
    parser.add_argument("--topic", action="append", default=[], help="create it at once")
    args = parser.parse_args()
    cluster = Producer({"test.mock.num.brokers": 1, "log_level": 4})
    brokers = cluster.list_topics(timeout=10).brokers.values()
    for topic in args.topic:
        cluster.list_topics(topic, timeout=10)
    address = ",".join(f"{broker.host}:{broker.port}" for broker in brokers)
    write_state(args.state_file, {"bootstrap_servers": address})
    until_stopped()


if __name__ == "__main__":
    main()
