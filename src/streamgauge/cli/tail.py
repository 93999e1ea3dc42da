"""``streamgauge tail``: read along on a topic."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from streamgauge.cli.connections import open_consumer
from streamgauge.cli.failures import CommandFailed
from streamgauge.cli.options import settings_of
from streamgauge.cli.output import say

if TYPE_CHECKING:
    from streamgauge.settings import Settings

Stream = Literal["predictions", "labels", "feedback", "alarms", "models", "dead-letters"]


def tail(
    ctx: typer.Context,
    stream: Annotated[Stream, typer.Argument(help="What to read.")],
    model: Annotated[str | None, typer.Option(help="Only this model's.")] = None,
    from_beginning: Annotated[
        bool, typer.Option("--from-beginning", help="From the oldest that is kept, not from now.")
    ] = False,
    count: Annotated[
        int | None, typer.Option("-n", "--count", min=1, help="Stop after so many.")
    ] = None,
    follow: Annotated[bool, typer.Option(help="Wait for more at the end, or stop there.")] = True,
    output: Annotated[
        Literal["text", "json"],
        typer.Option("--output", "-o", help="Lines for people, or a JSON object on each line."),
    ] = "text",
) -> None:
    """Print what flows through a topic, one line each, from now on until Ctrl-C.

    Below an alarm's line stands what helps whoever is called, indented: `grep -v '^ '` has the
    lines alone.
    Nobody else notices: no consumer group is joined, no position is kept.

    Example: `streamgauge tail alarms --from-beginning --no-follow -o json`
    """
    from streamgauge.cli.tail_lines import Seen, detail_lines, json_line, text_line

    settings = settings_of(ctx)
    topic = f"{settings.kafka.topic_prefix}.{stream}"
    shown = 0
    for message in _messages(settings, topic, from_beginning=from_beginning, follow=follow):
        seen = Seen.of(message)
        if model is not None and seen.model != model:
            continue
        if output == "json":
            typer.echo(json_line(seen))
        else:
            typer.echo("\n".join([text_line(stream, seen), *detail_lines(stream, seen)]))
        shown += 1
        if count is not None and shown >= count:
            return
    if not shown:
        say(f"nothing in {topic}" + (f" of model {model}" if model else ""))


def _messages(
    settings: Settings, topic: str, *, from_beginning: bool, follow: bool
) -> Iterator[Any]:
    """Messages of all partitions; without ``follow`` until each was read to its end."""
    from confluent_kafka import OFFSET_BEGINNING, KafkaError, KafkaException, TopicPartition

    with open_consumer(settings) as consumer:
        partitions = _partitions(consumer, settings, topic)
        starts: list[Any] = []
        for partition in partitions:
            offset = OFFSET_BEGINNING
            if not from_beginning:
                # Asked now, so that nothing is missed between here and the first fetch.
                _, offset = consumer.get_watermark_offsets(
                    TopicPartition(topic, partition), timeout=5.0
                )
            starts.append(TopicPartition(topic, partition, offset))
        consumer.assign(starts)
        if follow:
            start = "from the beginning" if from_beginning else "from now on"
            say(f"following {topic} {start}; stop with Ctrl-C")
        waiting = set(partitions)
        while follow or waiting:
            message = consumer.poll(0.5)
            if message is None:
                continue
            error = message.error()
            if error is None:
                yield message
            elif error.code() == KafkaError._PARTITION_EOF:
                waiting.discard(message.partition())
            else:
                raise KafkaException(error)


def _partitions(consumer: Any, settings: Settings, topic: str) -> list[int]:
    found = consumer.list_topics(topic, timeout=5.0).topics[topic]
    if found.error is not None or not found.partitions:
        raise CommandFailed(
            f"there is no topic {topic} on Kafka at {settings.kafka.bootstrap_servers}",
            "it comes with the first event; another prefix is STREAMGAUGE_KAFKA__TOPIC_PREFIX",
        )
    return sorted(found.partitions)
