"""What is committed under deploy/grafana: fresh, complete, and asking for what is exposed."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml
from grafana_foundation_sdk.models.dashboard import Dashboard

from deploy.grafana import ladders
from deploy.grafana.written import DIRECTORY, documents, text
from streamgauge.exposition.fleet import STATES, VERDICTS
from streamgauge.telemetry import CATALOGUE, Definition
from tests.deploy.dashboard_files import FILES, expressions, load, panels, variables

PROVISIONING = DIRECTORY.parent / "provisioning"
#: Of Prometheus itself, or of every scrape.
OTHER_LABELS = {"job", "instance"}
METRIC = re.compile(r"\bstreamgauge_[a-z0-9_]+\b")
SELECTOR = re.compile(r"\b(?P<metric>streamgauge_[a-z0-9_]+)\{(?P<matchers>[^}]*)\}")
MATCHER = re.compile(r'(\w+)\s*(?:=~|!~|!=|=)\s*"')

each_file = pytest.mark.parametrize("name", [path.name for path in FILES])


def exposed(definition: Definition) -> set[str]:
    """The names under which Prometheus knows a metric's series."""
    if definition.kind == "histogram":
        return {f"{definition.full_name}_{part}" for part in ("bucket", "sum", "count")}
    return {definition.full_name}


SERIES = {name: definition for definition in CATALOGUE for name in exposed(definition)}


def labels(name: str) -> set[str]:
    definition = SERIES[name]
    more = {"state"} if definition.kind == "states" else set[str]()
    return {*definition.labels, *more} | ({"le"} if name.endswith("_bucket") else set())


def test_what_is_committed_is_what_the_code_writes() -> None:
    written = documents()
    assert {path.name for path in FILES} == written.keys()
    stale = [
        name
        for name, now in written.items()
        if (DIRECTORY / name).read_text(encoding="utf-8") != now
    ]
    assert not stale, "run `make dashboards`"


@each_file
def test_a_dashboard_survives_the_way_through_its_model(name: str) -> None:
    committed = (DIRECTORY / name).read_text(encoding="utf-8")
    assert text(Dashboard.from_json(json.loads(committed))) == committed


def test_uids_are_fixed_and_no_two_are_alike() -> None:
    uids = {path.stem: load(path.name)["uid"] for path in FILES}
    assert uids == {stem: f"streamgauge-{stem}" for stem in uids}
    assert len(uids) == 6


@each_file
def test_every_dashboard_looks_at_the_last_hour_and_at_the_same_moment(name: str) -> None:
    document = load(name)
    assert (document["schemaVersion"], document["refresh"]) == (42, "10s")
    assert document["time"] == {"from": "now-1h", "to": "now"}
    assert document["graphTooltip"] == 1, "shared crosshair"
    assert document["editable"] is False
    assert "streamgauge" in document["tags"]


@each_file
def test_ids_are_unique_and_no_panel_lies_on_another(name: str) -> None:
    document = load(name)
    ids = Counter(panel["id"] for panel in document["panels"])
    assert max(ids.values()) == 1
    cells: Counter[tuple[int, int]] = Counter()
    for panel in document["panels"]:
        place = panel["gridPos"]
        assert place["x"] >= 0 and place["x"] + place["w"] <= 24, panel["title"]
        cells.update(
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        )
    assert max(cells.values()) == 1


@each_file
def test_every_panel_says_what_it_is_and_in_which_unit(name: str) -> None:
    for panel in panels(load(name)):
        assert panel["title"], panel["id"]
        assert panel["description"].endswith("."), panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        assert panel["targets"], panel["title"]


@each_file
def test_the_first_row_asks_whether_it_is_all_right(name: str) -> None:
    row, *following = load(name)["panels"]
    assert (row["type"], row["title"]) == ("row", "Is it all right?")
    assert [panel["type"] for panel in following[:6]] == ["stat"] * 6


def values_of(node: Any, key: str) -> list[Any]:
    """All values under a key, however deep."""
    if isinstance(node, list):
        return [found for each in node for found in values_of(each, key)]
    if not isinstance(node, dict):
        return []
    deeper = [found for each in node.values() for found in values_of(each, key)]
    return deeper + ([node[key]] if key in node else [])


@each_file
def test_no_dashboard_names_a_source_but_its_variable(name: str) -> None:
    sources = values_of(load(name), "datasource")
    assert sources
    assert all(s == {"type": "prometheus", "uid": "${datasource}"} for s in sources)
    first = load(name)["templating"]["list"][0]
    assert (first["name"], first["type"]) == ("datasource", "datasource")


@each_file
def test_every_metric_is_in_the_catalogue_as_it_is_exposed(name: str) -> None:
    for expr in expressions(name):
        named = set(METRIC.findall(expr))
        assert named, expr
        assert named <= SERIES.keys(), expr


@each_file
def test_no_query_asks_for_a_label_that_the_metric_does_not_have(name: str) -> None:
    for expr in expressions(name):
        for found in SELECTOR.finditer(expr):
            asked = set(MATCHER.findall(found["matchers"]))
            assert asked <= labels(found["metric"]) | OTHER_LABELS, expr
        grouped = {
            label.strip()
            for group in re.findall(r"\b(?:by|on|group_left) \(([^)]*)\)", expr)
            for label in group.split(",")
        }
        known = set[str]().union(*(labels(metric) for metric in METRIC.findall(expr)))
        assert grouped <= known | OTHER_LABELS, expr


@each_file
def test_a_rate_goes_with_the_step_of_the_graph(name: str) -> None:
    for expr in expressions(name):
        assert set(re.findall(r"\brate\([^\[]*\[([^\]]+)\]", expr)) <= {"$__rate_interval"}, expr


@each_file
def test_every_variable_that_is_used_is_one_that_can_be_chosen(name: str) -> None:
    document = load(name)
    known = {variable["name"] for variable in document["templating"]["list"]}
    used = set(re.findall(r"\$([a-z]\w*)", " ".join(expressions(name))))
    titles = {
        v for panel in document["panels"] for v in re.findall(r"\$([a-z]\w*)", panel["title"])
    }
    assert used | titles <= known
    assert variables(document).keys() <= used, "one is chosen for nothing"


@each_file
def test_links_lead_to_dashboards_that_take_what_they_are_given(name: str) -> None:
    takes = {
        document["uid"]: {variable["name"] for variable in document["templating"]["list"]}
        for document in (load(path.name) for path in FILES)
    }
    document = load(name)
    others = [link for link in document["links"] if link["type"] == "dashboards"]
    assert others and all(link["includeVars"] and link["keepTime"] for link in others)
    for url in filter(None, values_of(document["panels"], "url")):
        uid = re.match(r"/d/([\w-]+)\?\$\{__url_time_range\}&\$\{datasource:queryparam\}", url)
        assert uid is not None, url
        assert set(re.findall(r"&var-(\w+)=", url)) <= takes[uid[1]], url


def test_the_fleet_leads_to_a_model_a_model_to_its_features_and_those_to_the_truth() -> None:
    def leads(name: str) -> set[str]:
        urls = filter(None, values_of(load(name)["panels"], "url"))
        return {re.findall(r"/d/streamgauge-(\w+)", url)[0] for url in urls}

    assert "model" in leads("fleet.json")
    assert "feature" in leads("model.json")
    assert "truth" in leads("feature.json")


@pytest.mark.parametrize("name", ["fleet.json", "model.json", "feature.json"])
def test_severity_has_its_threshold_where_the_colours_turn(name: str) -> None:
    (panel,) = [each for each in panels(load(name)) if each["type"] == "heatmap"]
    colour = panel["options"]["color"]
    # The threshold lies in the middle of the scale, and an even number of colours meets there.
    assert (colour["min"] + colour["max"]) / 2 == 1
    assert colour["steps"] % 2 == 0
    assert panel["fieldConfig"]["defaults"]["thresholds"]["steps"][-1]["value"] == 1
    assert "drift_severity_ratio" in panel["targets"][0]["expr"]


@pytest.mark.parametrize("name", ["fleet.json", "model.json", "feature.json", "truth.json"])
def test_alarms_and_deploys_are_marked_on_all_graphs(name: str) -> None:
    marks = {mark["name"] for mark in load(name)["annotations"]["list"] if mark["enable"]}
    assert {"Alarms", "Deploys"} <= marks


def test_the_ladders_have_every_state_that_is_exposed() -> None:
    assert set(ladders.STATES) == set(STATES)
    assert list(ladders.STATES)[-1] == "firing"
    assert list(ladders.VERDICTS) == [verdict.lower() for verdict in VERDICTS]


def provisioned(path: str) -> Any:
    return yaml.safe_load((PROVISIONING / path).read_text(encoding="utf-8"))


def test_the_provisioned_source_has_a_fixed_uid() -> None:
    document = provisioned("datasources/prometheus.yaml")
    assert document["apiVersion"] == 1
    (source,) = document["datasources"]
    assert (source["type"], source["uid"]) == ("prometheus", "streamgauge-prometheus")
    assert source["editable"] is False


def test_what_is_provisioned_cannot_be_saved_by_hand() -> None:
    document = provisioned("dashboards/streamgauge.yaml")
    assert document["apiVersion"] == 1
    (provider,) = document["providers"]
    assert provider["allowUiUpdates"] is False
    assert provider["options"]["foldersFromFilesStructure"] is True
    assert Path(provider["options"]["path"]).is_absolute()
