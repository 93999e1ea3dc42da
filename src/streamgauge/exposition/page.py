"""The status page: one look at all models, worst first. No script, no other file."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

from streamgauge.clock import Clock, system_clock
from streamgauge.exposition.activity import Activity
from streamgauge.exposition.blocks import (
    alarms_block,
    get_started,
    pipeline,
    remarks_block,
    table,
    tiles,
    unjudged_block,
)
from streamgauge.exposition.fleet import summarise
from streamgauge.exposition.http import Page
from streamgauge.exposition.learning_block import learning_block
from streamgauge.exposition.rows import model_rows
from streamgauge.exposition.silence import as_of_now
from streamgauge.exposition.source import Reading
from streamgauge.exposition.style import STYLE, policy
from streamgauge.exposition.words import duration, moment

REFRESH_SECONDS = 5
_LOGO = (
    '<svg width="28" height="28" viewBox="0 0 28 28" aria-hidden="true">'
    '<rect width="28" height="28" rx="7" fill="#0b6bcb"/>'
    '<path d="M4 17c4-5 6-5 10 0s6 5 10 0" fill="none" stroke="#fff" stroke-width="2.4"'
    ' stroke-linecap="round"/><path d="M14 5v5" stroke="#fff" stroke-width="2.4"'
    ' stroke-linecap="round"/></svg>'
)


class StatusPage:
    """Makes the page from the newest reading.

    ``bootstrap_servers`` is the address in the first snippet, shown until a model exists.
    ``activity`` is shared with the metrics, so that both say the same of silence.
    """

    def __init__(
        self,
        reading: Callable[[], Reading],
        *,
        bootstrap_servers: str,
        topic_prefix: str = "streamgauge",
        stale_seconds: float = 30.0,
        activity: Activity | None = None,
        clock: Clock = system_clock,
    ) -> None:
        self._reading = reading
        self._bootstrap_servers = bootstrap_servers
        self._topic_prefix = topic_prefix
        self._stale = stale_seconds
        self._clock = clock
        self._activity = activity or Activity()

    def __call__(self) -> Page:
        """The page as it is now."""
        now = self._clock()
        reading = self._reading()
        body = self._body(reading, now=now)
        html = (
            '<!doctype html><html lang="en"><head><meta charset="utf-8">'
            f'<meta http-equiv="refresh" content="{REFRESH_SECONDS}">'
            '<meta name="viewport" content="width=device-width,initial-scale=1">'
            f"<title>Streamgauge</title><style>{STYLE}</style></head><body>"
            f"<header>{_LOGO}<h1>Streamgauge</h1><p>{_as_of(reading, now)}</p></header>"
            f'<main>{body}</main><footer><a href="/metrics">/metrics</a> · '
            '<a href="/readyz">/readyz</a> · times are UTC · renewed every '
            f"{REFRESH_SECONDS} s</footer></body></html>"
        )
        return Page(
            html.encode("utf-8", "replace"),
            content_type="text/html; charset=utf-8",
            headers={"Content-Security-Policy": policy(), "Referrer-Policy": "no-referrer"},
        )

    def _body(self, reading: Reading, *, now: float) -> str:
        snapshot = reading.snapshot
        if snapshot is not None:
            self._activity.note(snapshot)
        notes = self._notes(reading, now=now)
        if snapshot is None:
            return notes
        models = summarise(snapshot.models)
        if not models:
            return notes + get_started(self._bootstrap_servers, self._topic_prefix)
        deaf = self._activity.deaf(snapshot, now=now)
        rows = model_rows(models, self._activity, now=now, deaf=deaf)
        blocks = [tiles(rows, snapshot, now), alarms_block(models), table(rows)]
        living = [as_of_now(each, self._activity, now=now, deaf=deaf) for each in models]
        blocks += [learning_block(snapshot.learners)]
        blocks += [remarks_block(living, now), unjudged_block(models)]
        return notes + "".join(blocks) + pipeline(snapshot, now)

    def _notes(self, reading: Reading, *, now: float) -> str:
        age = reading.age(now)
        if not reading.up:
            old = "nothing was read yet" if age is None else f"this is {duration(age)} old"
            why = f" ({escape(reading.error)})" if reading.error else ""
            return f'<p class="note stop">Redis does not answer{why}; {old}.</p>'
        if age is not None and age > self._stale:
            return f'<p class="note stop">This is {duration(age)} old.</p>'
        if reading.snapshot is not None and self._activity.deaf(reading.snapshot, now=now):
            return (
                '<p class="note">No monitor runs any more; start one with '
                "<code>python -m services.monitor</code>.</p>"
            )
        return ""


def _as_of(reading: Reading, now: float) -> str:
    if reading.snapshot is None:
        return "no data yet"
    return f"as of {moment(reading.snapshot.read_at)}"
