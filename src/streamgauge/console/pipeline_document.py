"""The screen of the pipeline: what became of every record, how far it is, which processes run."""

from __future__ import annotations

from collections import Counter

from streamgauge.console.dead_rows import dead_rows
from streamgauge.console.history import STEP_SECONDS
from streamgauge.console.names import shown
from streamgauge.console.scene import Document, Scene
from streamgauge.exposition.partitions import REASONS, conservation_difference
from streamgauge.state.views import PartitionView

MOST_PARTITIONS = 200
MOST_PROCESSES = 100


def pipeline_document(scene: Scene) -> Document:
    """Partitions, dead letters, processes, and what could not be read of the views."""
    snapshot = scene.snapshot
    views = [view for _, view in snapshot.partitions]
    dead: Counter[str] = Counter(dict.fromkeys(REASONS, 0))
    kinds: Counter[str] = Counter()
    for view in views:
        dead.update(view.dead)
        kinds.update(view.counts)
    processes = sorted(snapshot.processes, key=lambda each: (each.service, each.instance))
    return {
        **scene.head("pipeline"),
        "totals": {
            "records": scene.records(),
            "dead": sum(dead.values()),
            "lost": sum(view.lost for view in views),
            "holes": sum(view.holes for view in views),
            "lag": sum(view.lag or 0 for view in views),
            "unaccounted": sum(conservation_difference(view) for view in views),
        },
        "flow": scene.history.records(),
        "flow_end": scene.history.end,
        "flow_step": STEP_SECONDS,
        "dead": [{"reason": shown(reason), "n": n} for reason, n in dead.most_common()],
        "letters": dead_rows(views, snapshot.models),
        "kinds": [{"what": shown(what), "n": n} for what, n in kinds.most_common(20)],
        "partitions": [
            _partition(group, view) for group, view in snapshot.partitions[:MOST_PARTITIONS]
        ],
        "more": max(0, len(views) - MOST_PARTITIONS),
        "processes": [
            {
                "service": shown(each.service),
                "instance": shown(each.instance),
                "version": shown(each.version),
                "started_at": each.started_at,
                # Text and never a link: what is in Redis does not choose where a click leads.
                "url": shown(each.url or ""),
                "partitions": each.partitions[:100],
            }
            for each in processes[:MOST_PROCESSES]
        ],
        "skipped": {shown(reason): n for reason, n in snapshot.skipped.items()},
        "specs": len(snapshot.specs),
    }


def _partition(group: str, view: PartitionView) -> Document:
    return {
        "group": shown(group),
        "partition": view.partition,
        "records": sum(view.counts.values()),
        "dead": {shown(reason): n for reason, n in sorted(view.dead.items()) if n},
        "lost": view.lost,
        "holes": view.holes,
        "lag": view.lag,
        "unaccounted": conservation_difference(view),
        "written_at": view.written_at,
        "log_time": view.log_time,
        "checkpoint": view.checkpoint,
        "positions": {shown(topic): at for topic, at in view.positions.items()},
        "models": view.gauges.get("models"),
        "models_dropped": view.gauges.get("models_dropped"),
    }
