"""What the log can give: confluent-kafka ``consume(2000)`` and ``orjson.loads``, nothing else."""

from __future__ import annotations

import orjson
from confluent_kafka import Consumer

from load_tests.standard_job import job


def main() -> None:
    args, watch = job.arguments(), job.Stopwatch()
    consumer = Consumer(
        {
            "bootstrap.servers": args.servers,
            "group.id": args.group,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
        }
    )
    consumer.subscribe([args.topic])
    # The first records come once the group is formed; the clock begins behind them.
    skipped = len(consumer.consume(1, timeout=30))
    taken = 0
    with watch:
        while taken + skipped < args.events:
            # Not more than there is: it would wait for the rest of a batch until its time-out.
            wanted = min(2_000, args.events - taken - skipped)
            messages = consumer.consume(wanted, timeout=10)
            if not messages:
                raise SystemExit(f"{args.topic} gave nothing for 10 s after {taken} events")
            for message in messages:
                orjson.loads(message.value())
            taken += len(messages)
    watch.tell(taken)
    consumer.close()


if __name__ == "__main__":
    main()
