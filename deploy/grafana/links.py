"""Links from a series or a row to the dashboard that says more, with what was looked at."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import DashboardLink

FLEET = "streamgauge-fleet"
MODEL = "streamgauge-model"
FEATURE = "streamgauge-feature"
TRUTH = "streamgauge-truth"
LEARNER = "streamgauge-learner"
PIPELINE = "streamgauge-pipeline"


def of_series(title: str, uid: str, **variables: str) -> DashboardLink:
    """A link of a graph; ``model="model"`` takes the variable from the series' label."""
    taken = {name: f"${{__field.labels.{label}}}" for name, label in variables.items()}
    return _link(title, uid, taken)


def of_row(title: str, uid: str, **variables: str) -> DashboardLink:
    """A link of a table; ``model="model"`` takes the variable from the row's column."""
    taken = {name: f"${{__data.fields.{column}}}" for name, column in variables.items()}
    return _link(title, uid, taken)


def of_variables(title: str, uid: str, *names: str) -> DashboardLink:
    """A link that hands on variables of the dashboard that it stands on."""
    return _link(title, uid, {name: f"${{{name}}}" for name in names})


def _link(title: str, uid: str, variables: dict[str, str]) -> DashboardLink:
    taken = "".join(f"&var-{name}={value}" for name, value in variables.items())
    url = f"/d/{uid}?${{__url_time_range}}&${{datasource:queryparam}}{taken}"
    return DashboardLink(title).url(url)
