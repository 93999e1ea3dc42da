"""An alarm as ``tail`` shows it: its sentence, and below it where, why, and what to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from streamgauge.cli.output import show_time

#: Lines of one kind; the alarm itself has them all.
_MOST_HINTS = 3
_MOST_SLICES = 3
_MOST_OTHERS = 3
#: Beyond it a threshold is next to nothing, and the factor says nothing.
_MOST_SEVERITY = 1000.0


def alarm_line(event: Mapping[str, Any]) -> str:
    """The alarm in one line. The sentence begins with the model, which stands before it already."""
    status, summary = str(event.get("status", "?")).upper(), str(event.get("summary"))
    model, version = event.get("model"), event.get("version")
    if summary.startswith(f"{model} {version}: "):
        summary = f"version {summary.removeprefix(f'{model} ')}"
    summary = summary.removeprefix(f"{model}: ")
    return f"{status} {event.get('severity')} {event.get('kind')}: {summary}"


def alarm_lines(event: Mapping[str, Any]) -> Iterator[str]:
    """Lines of plain text, not yet made printable; nothing of what an alarm lacks.

    Takes any JSON object: what others put into the topic must not end the reading. One that is
    over needs nobody, so it has none.
    """
    if event.get("handling"):
        yield _handling(event)
    if event.get("status") != "firing":
        return
    evidence = _mapping(event.get("evidence"))
    yield from _onset(event)
    yield from _more_features(event, evidence)
    yield from _slices(evidence)
    yield from (f"hint: {hint}" for hint in _sequence(evidence.get("hints"))[:_MOST_HINTS])
    if evidence.get("changed_this_week") is False:
        yield "not new: the last seven days look like it too"
    yield from _steps(event)
    if event.get("description"):
        yield str(event["description"])
    if event.get("contingency"):
        yield f"what to do: {event['contingency']}"
    told = [
        f"{name} {event[key]}"
        for name, key in (("owner", "owner"), ("runbook", "runbook_url"), ("for:", "objective"))
        if event.get(key)
    ]
    if told:
        yield "; ".join(told)


def _handling(event: Mapping[str, Any]) -> str:
    handling = _mapping(event.get("handling"))
    until = handling.get("until")
    told = f"by {handling.get('by')}"
    if isinstance(until, int | float):
        told += f", until {show_time(until)} UTC"
    return f"{told}: {event['reason']}" if event.get("reason") else told


def _onset(event: Mapping[str, Any]) -> Iterator[str]:
    since, affected = event.get("starts_at"), event.get("affected")
    told = []
    if isinstance(since, int | float):
        told.append(f"since {show_time(since)} UTC")
    if isinstance(affected, int) and affected:
        told.append(f"{affected:,} predictions affected so far")
    if told:
        yield ", ".join(told)


def _more_features(event: Mapping[str, Any], evidence: Mapping[str, Any]) -> Iterator[str]:
    """Features beside the one that the sentence is about, with their part in the whole."""
    features = [_mapping(each) for each in _sequence(evidence.get("top_features"))]
    others = [each for each in features if each.get("feature") != event.get("feature")]
    for each in others[:_MOST_OTHERS]:
        change = f": {each['change']}" if each.get("change") else ""
        yield f"also {each.get('feature')}, {_percent(each.get('contribution'))} of it{change}"
    if len(others) > _MOST_OTHERS:
        yield f"and {len(others) - _MOST_OTHERS} more"


def _slices(evidence: Mapping[str, Any]) -> Iterator[str]:
    slices = [_mapping(each) for each in _sequence(evidence.get("slices"))]
    if not slices:
        return
    told = [
        f"{each.get('segment')} = {each.get('value')} ({_times(each.get('severity_ratio'))}"
        + (f", by {each['feature']}" if each.get("feature") else "")
        + ")"
        for each in slices[:_MOST_SLICES]
    ]
    more = f" and {len(slices) - _MOST_SLICES} more" if len(slices) > _MOST_SLICES else ""
    yield f"most in {', '.join(told)}{more}"


def _steps(event: Mapping[str, Any]) -> Iterator[str]:
    """Where in the pipeline to look; the sentence names an earlier step, if it was one."""
    first = event.get("earliest_step")
    own = _mapping(event.get("scope")).get("step")
    if first and first == own:
        yield f"this is step {first}; no earlier one moved"
    elif first:
        yield f"this is step {own or '?'}; look at step {first} first"
    elif own and f"step {own}" not in str(event.get("summary")):
        yield f"this is step {own}"


def _times(severity: Any) -> str:
    if not isinstance(severity, int | float):
        return "moved"
    if severity > _MOST_SEVERITY:
        return f"> {_MOST_SEVERITY:g} × threshold"
    return f"{severity:.3g} × threshold"


def _percent(ratio: Any) -> str:
    return f"{100 * ratio:.0f} %" if isinstance(ratio, int | float) else "part"


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _sequence(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else []
