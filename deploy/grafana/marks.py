"""What happened, across all graphs: alarms while they fire, versions when they appear."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import AnnotationQuery

from deploy.grafana.variables import SOURCE


def alarms(where: str = "") -> AnnotationQuery:
    """From an alarm's beginning to its end, because the series stays at 0 once it ended."""
    return (
        _query("Alarms", "red", f"streamgauge_alarms_active{{{where}}} > 0")
        .title_format("{{model}}: {{kind}}")
        .text_format("{{severity}}")
        .tag_keys("model,kind,severity")
    )


def deploys(where: str = "") -> AnnotationQuery:
    """The first minute of a version that was not seen for an hour.

    An hour, because a version that is silent for so long has no series of its own any more; the
    first version of a model is a deploy like any.
    """
    counted = f'streamgauge_predictions_total{{{f"{where}, " if where else ""}version!="_other"}}'
    return (
        _query(
            "Deploys",
            "blue",
            f"sum by (model, version) ({counted})"
            f" unless sum by (model, version) (present_over_time({counted}[1h] offset 1m))",
        )
        .title_format("{{model}}: version {{version}}")
        .tag_keys("model,version")
    )


def promotions(where: str) -> AnnotationQuery:
    """The first minute of a candidate that became champion; until then its series is 0."""
    champion = f"streamgauge_learner_champion{{{where}}}"
    return (
        _query("Promotions", "green", f"{champion} == 1 and {champion} offset 1m == 0")
        .title_format("{{model}}: {{candidate}} answers")
        .tag_keys("model,candidate")
    )


def _query(name: str, colour: str, expr: str) -> AnnotationQuery:
    return (
        AnnotationQuery()
        .name(name)
        .datasource(SOURCE)
        .enable(True)
        .icon_color(colour)
        .expr(expr)
        .step("15s")
    )
