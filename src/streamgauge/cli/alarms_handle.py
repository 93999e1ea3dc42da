"""``streamgauge alarms acknowledge``, ``silence``, ``lift`` and ``judge``: a person decides."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

import typer

from streamgauge.cli.apply import author, now
from streamgauge.cli.connections import open_redis
from streamgauge.cli.event_log import AlarmEventOption, open_events
from streamgauge.cli.failures import CommandFailed, WrongUsage
from streamgauge.cli.options import settings_of
from streamgauge.cli.output import printable, say, show_time

if TYPE_CHECKING:
    from redis import Redis

    from streamgauge.handling.found import Found
    from streamgauge.handling.handler import Handler

Alarm = Annotated[
    str,
    typer.Argument(help="The alarm's id, or its beginning; or a model with one open alarm."),
]
Reason = Annotated[str, typer.Option(help="Why, for whoever asks later.")]


class _Case(NamedTuple):
    """The alarm that is meant, and who does with it what is asked for."""

    found: Found
    handler: Handler


def acknowledge(
    ctx: typer.Context, alarm: Alarm, reason: Reason = "", event: AlarmEventOption = True
) -> None:
    """Say that you look after an alarm. It goes on, and others see that somebody has it.

    Example: `streamgauge alarms acknowledge 3f9a1c --reason "looking into the feed"`
    """
    with _opened(ctx, alarm, event=event) as (found, handler):
        handler.acknowledge(found, by=author(), reason=reason)
    say(f"acknowledged by {author()}: {printable(found.alarm.summary)}")


def silence(
    ctx: typer.Context,
    alarm: Alarm,
    duration: Annotated[str, typer.Option("--for", help="How long, like 30m, 2h or 7d.")],
    reason: Reason,
    event: AlarmEventOption = True,
) -> None:
    """Keep an alarm's cause from all sinks for a while, also when it fires anew.

    It stays on the alarms topic, on the console and in the metrics; subscribers of the topic hear
    it still. Only the notifier sends nothing. At most 90 days.

    Example: `streamgauge alarms silence 3f9a1c --for 2h --reason "the feed is being repaired"`
    """
    seconds = _seconds(duration)
    with _opened(ctx, alarm, event=event) as (found, handler):
        held = handler.silence(found, by=author(), seconds=seconds, reason=reason)
    say(f"silenced until {show_time(held.until or 0.0)} UTC: {printable(found.alarm.summary)}")


def lift(ctx: typer.Context, alarm: Alarm) -> None:
    """End a silence or an acknowledgement: the alarm is everybody's again.

    Example: `streamgauge alarms lift 3f9a1c`
    """
    with _opened(ctx, alarm, event=False) as (found, handler):
        lifted = handler.lift(found)
    if not lifted:
        raise CommandFailed("nobody has acknowledged or silenced it", "see streamgauge alarms list")
    say(f"lifted: {printable(found.alarm.summary)}")


def judge(
    ctx: typer.Context,
    alarm: Alarm,
    verdict: Annotated[Literal["true", "false"], typer.Argument(help="Whether it was right.")],
    reason: Reason = "",
) -> None:
    """Say whether an alarm was right. The share of false ones is a metric by model and kind.

    It changes no threshold. An alarm that resolved a short while ago can be judged too.

    Example: `streamgauge alarms judge 3f9a1c false --reason "a planned campaign"`
    """
    with _opened(ctx, alarm, event=False, resolved=True) as (found, handler):
        handler.judge(found, right=verdict == "true", by=author(), reason=reason)
    word = "right" if verdict == "true" else "false"
    say(f"judged {word} by {author()}: {printable(found.alarm.summary)}")


@contextmanager
def _opened(
    ctx: typer.Context, alarm: str, *, event: bool, resolved: bool = False
) -> Iterator[_Case]:
    """Redis and, for an ``event``, Kafka, which answered just now."""
    from streamgauge.handling.handler import CantHandle, HalfDone, Handler

    settings = settings_of(ctx)
    with open_redis(settings) as redis:
        found = find(redis, alarm, resolved=resolved)
        with open_events(settings, wanted=event) as events:
            try:
                yield _Case(found, Handler(redis, events=events, clock=now))
            except CantHandle as error:
                raise WrongUsage(str(error)) from error
            except HalfDone as error:
                raise CommandFailed(str(error), "do it again to tell it") from error


def find(redis: Redis, given: str, *, resolved: bool = False) -> Found:
    """The alarm that is meant. Raises ``CommandFailed`` where it is none, or one of several."""
    from streamgauge.handling.found import known_alarms
    from streamgauge.state.reader import ViewReader

    there = {
        alarm_id: found
        for alarm_id, found in known_alarms(ViewReader(redis).read().models).items()
        if resolved or found.alarm.status == "firing"
    }
    meant = [each for alarm_id, each in there.items() if alarm_id.startswith(given) and given] or [
        each for each in there.values() if each.model == given
    ]
    if len(meant) == 1:
        return meant[0]
    if meant:
        ids = ", ".join(printable(each.alarm.alarm_id[:12]) for each in meant[:5])
        raise CommandFailed(f"{len(meant)} alarms are meant by {given!r}", f"say which: {ids}")
    what = "is open or ended a short while ago" if resolved else "is open"
    raise CommandFailed(f"no alarm {given!r} {what}", "see streamgauge alarms list")


def _seconds(given: str) -> float:
    from pydantic import TypeAdapter, ValidationError

    from streamgauge.specs.scalars import Duration
    from streamgauge.state.handlings import KEPT_SECONDS

    try:
        seconds = float(TypeAdapter(Duration).validate_python(given))
    except ValidationError as error:
        told = error.errors(include_url=False)[0]["msg"]
        raise WrongUsage(f"--for: {told}", "as in --for 2h") from error
    if not 0 < seconds <= KEPT_SECONDS:
        raise WrongUsage(f"--for {given}: from a moment to 90 days", "as in --for 2h")
    return seconds
