"""The screen of a feature: before and now, what is judged against which threshold, and why."""

from __future__ import annotations

from streamgauge.console.alarm_rows import alarm_commands, alarm_row
from streamgauge.console.columns import column_row, columns, named
from streamgauge.console.history import STEP_SECONDS
from streamgauge.console.names import command, key_of, shown
from streamgauge.console.scene import Document, Scene

#: Columns of one name that are shown: of versions, steps and shards.
MOST_COLUMNS = 12


def feature_document(scene: Scene, model_key: str, key: str) -> Document | None:
    """None where no such model, or nothing of that name, is known."""
    model = scene.model(model_key)
    if model is None:
        return None
    views = [view for view in scene.snapshot.models if view.model == model.model]
    name = named(views, key)
    if name is None:
        return None
    found = columns(views, name, scene.live[model.model])
    alarms = [each for each in model.alarms if each.feature == name]
    severities = scene.history.features(model.model)
    return {
        **scene.head("feature"),
        "key": model_key,
        "name": shown(model.model),
        "feature": shown(name),
        "feature_key": key_of(name),
        "row": {
            "status": (row := scene.row(model.model)).status,
            "why": row.why,
            "quiet": row.quiet,
        },
        "silent": model.silent,
        "columns": [column_row(each) for each in found[:MOST_COLUMNS]],
        "more": max(0, len(found) - MOST_COLUMNS),
        "severity": severities.get(name, []),
        "end": scene.history.end,
        "step": STEP_SECONDS,
        "alarms": [
            {
                **alarm_row(model.model, each),
                "commands": alarm_commands(model.model, each, scene.place),
            }
            for each in alarms
        ],
        "explain": command("streamgauge", "explain", f"{model.model}.{name}"),
    }
