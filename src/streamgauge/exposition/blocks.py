"""The blocks of the status page, as HTML. Every name that came from an event is escaped here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape

from streamgauge.exposition.fleet import ModelSummary
from streamgauge.exposition.partitions import conservation_difference
from streamgauge.exposition.remarks import remarks
from streamgauge.exposition.rows import QUIET_SECONDS, Row
from streamgauge.exposition.words import (
    duration,
    figure,
    latency,
    moment,
    percent,
    times_threshold,
)
from streamgauge.state.reader import Snapshot
from streamgauge_client.topics import DEFAULT_PREFIX

#: Most models in the table; the rest, which is quieter, is only counted.
MOST_ROWS = 200
MOST_ALARMS = 20
#: Longest name on the page, in characters.
MOST_CHARACTERS = 80
_ICONS = {"red": "▲", "amber": "◆", "green": "●", "": "○"}
_COLOURS = {
    "firing": "red",
    "poisoned": "red",
    "no monitor": "red",
    "pending": "amber",
    "no data": "amber",
    "ok": "green",
}


def _text(text: str) -> str:
    """Text from an event: escaped, and without signs that steer the text around it."""
    return escape("".join(c if c.isprintable() else "�" for c in text))


def named(text: str) -> str:
    """A name from an event, cut, in a direction of its own."""
    short = text if len(text) <= MOST_CHARACTERS else f"{text[:MOST_CHARACTERS]}…"
    return f"<bdi>{_text(short)}</bdi>"


def tiles(rows: Sequence[Row], snapshot: Snapshot, now: float) -> str:
    alarms = sum(row.alarms for row in rows)
    rate = sum(row.rate or 0.0 for row in rows)
    dead = sum(n for _, view in snapshot.partitions for n in view.dead.values())
    times = [view.log_time for _, view in snapshot.partitions if view.log_time is not None]
    behind = duration(max(0.0, now - max(times))) if times else "–"
    figures = [
        ("bad" if alarms else "", str(alarms), "open alarms"),
        ("", str(len(rows)), "models" if len(rows) != 1 else "model"),
        ("", figure(rate), "predictions a second"),
        ("", figure(dead), "dead letters"),
        ("", behind, "since the newest prediction"),
    ]
    return '<div class="tiles">{}</div>'.format(
        "".join(
            f'<div class="tile {mark}"><b>{value}</b><span>{what}</span></div>'
            for mark, value, what in figures
        )
    )


def alarms_block(models: Sequence[ModelSummary]) -> str:
    firing = [(model.model, alarm) for model in models for alarm in model.firing]
    if not firing:
        return ""
    firing.sort(key=lambda pair: (-pair[1].severity_ratio, pair[1].starts_at))
    items = "".join(
        f"<li>{_badge(alarm.severity, 'red')} {named(model)} "
        f'<span class="soft small">{_text(alarm.kind)} · since '
        f"{moment(alarm.starts_at)}</span><br>{_text(alarm.summary[:500])}</li>"
        for model, alarm in firing[:MOST_ALARMS]
    )
    rest = len(firing) - MOST_ALARMS
    more = f'<li class="soft">and {rest} more</li>' if rest > 0 else ""
    return f'<h2>Open alarms</h2><div class="card"><ul class="alarms">{items}{more}</ul></div>'


def table(rows: Sequence[Row]) -> str:
    heads = (
        "<th>Status</th><th>Model</th><th class=n>Predictions/s</th><th class=n>Errors</th>"
        "<th class=n>p95</th><th>Worst feature</th><th>Answers</th><th class=n>Alarms</th>"
        "<th class=n>Last data</th>"
    )
    body = "".join(_table_row(row) for row in rows[:MOST_ROWS])
    rest = len(rows) - MOST_ROWS
    more = (
        f'<tr><td colspan="9" class="soft">and {rest} quieter models</td></tr>' if rest > 0 else ""
    )
    return (
        f'<h2>Models</h2><div class="card"><table><thead><tr>{heads}</tr></thead>'
        f"<tbody>{body}{more if rest > 0 else ''}</tbody></table></div>"
    )


def _table_row(row: Row) -> str:
    why = f'<span class="why">{_text(row.why)}</span>' if row.why else ""
    versions = ", ".join(named(version) for version in row.versions)
    age = "–"
    if row.quiet is not None:
        age = "now" if row.quiet < QUIET_SECONDS else f"{duration(row.quiet)} ago"
    return (
        f"<tr><td>{_badge(row.status, _COLOURS.get(row.status, ''))}{why}</td>"
        f'<td><span class="name">{named(row.model)}</span>'
        f'<span class="soft small">{versions}</span></td>'
        f"<td class=n>{_or_dash(row.rate, figure)}</td>"
        f"<td class=n>{_or_dash(row.errors, percent)}</td>"
        f"<td class=n>{_or_dash(row.p95, latency)}</td>"
        f"<td>{_severity(row)}</td><td class=small>{_text(row.answers) or '–'}</td>"
        f"<td class=n>{row.alarms or '–'}</td>"
        f'<td class="n soft">{age}</td></tr>'
    )


def _or_dash(value: float | None, say: Callable[[float], str]) -> str:
    return "–" if value is None else say(value)


def _badge(word: str, colour: str) -> str:
    return (
        f'<span class="badge {colour}"><span aria-hidden="true">{_ICONS[colour]}</span>'
        f"{_text(word)}</span>"
    )


def _severity(row: Row) -> str:
    """Severity as a number and as a bar; the mark stands at the threshold."""
    if row.severity is None:
        if row.status in ("no data", "no monitor"):
            return '<span class="soft">–</span>'
        return '<span class="soft">no verdict yet</span>'
    width = min(120.0, 60.0 * row.severity)
    over = " over" if row.severity > 1 else ""
    return (
        f'<span class="nowrap">{named(row.feature)} <span class="soft small">'
        f"{times_threshold(row.severity)}</span></span>"
        '<svg class="bar" width="120" height="8" aria-hidden="true">'
        '<rect class="track" width="120" height="6" y="1" rx="3"/>'
        f'<rect class="fill{over}" width="{width:.1f}" height="6" y="1" rx="3"/>'
        '<rect class="mark" x="60" width="1.5" height="8"/></svg>'
    )


def unjudged_block(models: Sequence[ModelSummary]) -> str:
    """What was counted and not judged, by model: a limit that nobody hears of is a blind spot."""
    lines = [(model.model, ["; ".join(_unjudged(model))]) for model in models]
    return _told("Counted, not judged", [(model, told) for model, told in lines if any(told)])


def remarks_block(models: Sequence[ModelSummary], now: float) -> str:
    """What else a model's owner would want to know, and no row has room for."""
    told = [(model.model, remarks(model, now=now)) for model in models if not model.passing]
    return _told("Silence, criteria, slices", [(model, lines) for model, lines in told if lines])


def _told(title: str, models: Sequence[tuple[str, Sequence[str]]]) -> str:
    """Lines of text by model; nothing where there are none."""
    if not models:
        return ""
    items = "".join(
        f'<li><span class="name">{named(model)}</span>'
        f"{'<br>'.join(_text(line[:500]) for line in lines)}</li>"
        for model, lines in models[:MOST_ALARMS]
    )
    rest = len(models) - MOST_ALARMS
    more = f'<li class="soft">and {rest} more</li>' if rest > 0 else ""
    return f'<h2>{title}</h2><div class="card"><ul class="alarms">{items}{more}</ul></div>'


def _unjudged(model: ModelSummary) -> list[str]:
    parts = []
    if model.unmonitored:
        parts.append(
            f"{figure(model.unmonitored)} predictions, because the model has too many versions "
            "or steps"
        )
    if model.features_dropped:
        parts.append(
            f"{figure(model.features_dropped)} feature values, because too many names came; "
            "a spec can ignore some"
        )
    return parts


def pipeline(snapshot: Snapshot, now: float) -> str:
    rows = "".join(
        f"<tr><td>{named(group)}</td><td class=n>{view.partition}</td>"
        f"<td class=n>{figure(sum(view.counts.values()))}</td>"
        f"<td class=n>{_dead(view.dead)}</td><td class=n>{view.lost}</td>"
        f"<td class=n>{conservation_difference(view)}</td>"
        f"<td class='n soft'>{_ago(view.written_at, now)}</td></tr>"
        for group, view in snapshot.partitions[:MOST_ROWS]
    )
    return (
        '<h2>Pipeline</h2><div class="card"><table><thead><tr><th>Group</th><th class=n>Partition'
        "</th><th class=n>Records</th><th class=n>Dead letters</th><th class=n>Lost</th>"
        "<th class=n>Unaccounted</th><th class=n>State written</th></tr></thead>"
        f"<tbody>{rows}</tbody></table></div>"
    )


def _dead(dead: dict[str, int]) -> str:
    if not any(dead.values()):
        return "0"
    return ", ".join(f"{n} {_text(reason)}" for reason, n in sorted(dead.items()) if n)


def _ago(timestamp: float | None, now: float) -> str:
    return "never" if timestamp is None else f"{duration(max(0.0, now - timestamp))} ago"


def get_started(servers: str, prefix: str) -> str:
    """What to type, with the addresses that are in use, while no model exists."""
    topics = "" if prefix == DEFAULT_PREFIX else f', topic_prefix="{prefix}"'
    python = (
        "from streamgauge_client import Publisher\n\n"
        f'pub = Publisher("{servers}", model="my-model", version="1"{topics})\n'
        'pub.log(features={"amount": 12.5, "country": "SE"}, output=0.93, latency_ms=4.1)\n'
        "pub.flush()"
    )
    event = (
        '{"prediction_id":"1","model":"my-model","version":"1","output":0.93,'
        '"features":{"amount":12.5}}'
    )
    shell = (
        f"echo 'my-model|{event}' \\\n"
        f"  | kcat -P -b {servers} -t {prefix}.predictions -K '|' -X partitioner=murmur2_random"
    )
    return (
        '<h2>Get started</h2><div class="card pad"><p>No model has sent anything yet. Publish a '
        "first prediction and it appears here within a few seconds; nothing needs to be "
        "configured.</p><p class=soft>From Python (<code>pip install streamgauge-client</code>):"
        f"</p><pre>{escape(python)}</pre><p class=soft>From a shell:</p>"
        f"<pre>{escape(shell)}</pre></div>"
    )
