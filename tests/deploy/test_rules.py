from __future__ import annotations

import re
import shutil
import subprocess
from collections import defaultdict
from pathlib import Path

import pytest
import yaml

from streamgauge.alarms import silence
from streamgauge.exposition.fleet import VERDICTS
from streamgauge.labels.counts import JoinCounts
from streamgauge.telemetry import CATALOGUE, Definition, notifications
from tests.deploy.rules import ALERTS, FILES, PROMETHEUS, RECORDED, TESTS, Rule
from tests.exposition.scraped import scraped
from tests.missing import missing

BY_NAME = {definition.full_name: definition for definition in CATALOGUE}
#: What Prometheus itself puts on every series that it scrapes.
TARGET = {"job", "instance"}
PAGES = {"critical"}
DASHBOARDS = ("fleet", "model", "pipeline")


def definition_of(metric: str) -> Definition | None:
    found = BY_NAME.get(metric)
    if found is None:
        family = BY_NAME.get(re.sub(r"_(bucket|sum|count)$", "", metric))
        found = family if family is not None and family.kind == "histogram" else None
    return found


def labels_of(metric: str) -> set[str]:
    """The labels that a series can have; of a recorded one those that its rule leaves."""
    if metric == "up":
        return set(TARGET)
    if ":" in metric:
        rule = next(rule for rule in RECORDED if rule.name == metric)
        return rule.grouped_by or set().union(*(labels_of(name) for name, _ in rule.selectors))
    definition = definition_of(metric)
    assert definition is not None, f"{metric} is not in the catalogue of streamgauge.telemetry"
    own = {"histogram": {"le"}, "states": {"state"}}.get(definition.kind, set())
    return {*definition.labels, *own, *TARGET}


@pytest.mark.parametrize("rule", [*RECORDED, *ALERTS], ids=lambda rule: rule.name)
def test_every_metric_and_label_is_declared(rule: Rule) -> None:
    recorded = {each.name for each in RECORDED}
    known = set()
    for metric, chosen in rule.selectors:
        assert ":" not in metric or metric in recorded, f"nothing records {metric}"
        assert set(chosen) <= labels_of(metric), metric
        known |= labels_of(metric)
    assert rule.selectors or rule.expr == "vector(1)"
    assert rule.grouped_by <= known


#: Where the values of labels come from that rules ask for.
VALUES = {
    ("streamgauge_predictions_total", "status"): {"ok", "error", "fallback"},
    ("streamgauge_label_outcomes_total", "outcome"): set(JoinCounts().get()),
    ("streamgauge_criterion_state", "state"): {verdict.lower() for verdict in VERDICTS},
    ("streamgauge_alarms_active", "kind"): {silence.KIND},
    ("streamgauge_notifications_total", "outcome"): set(notifications.OUTCOMES),
    ("streamgauge_series_dropped_total", "reason"): set(
        scraped().labels("series_dropped_total", "reason")
    ),
}


def test_values_of_labels_are_those_that_the_code_gives() -> None:
    """A misspelt value is no error to Prometheus: the alert would only never fire."""
    asked = {value for rule in [*RECORDED, *ALERTS] for value in rule.values}
    for metric, label, value in asked:
        if label == "job":
            assert re.fullmatch(r"streamgauge-(\.\*|monitor|exporter|notifier)", value)
        else:
            assert value in VALUES[metric, label], (metric, label)
    assert {(metric, label) for metric, label, _ in asked} >= set(VALUES), "what is left over"


def test_a_metric_that_nobody_declared_would_be_found() -> None:
    with pytest.raises(AssertionError, match="not in the catalogue"):
        test_every_metric_and_label_is_declared(Rule("a:b:c", "rate(streamgauge_wishes_total[5m])"))
    with pytest.raises(AssertionError):
        test_every_metric_and_label_is_declared(
            Rule("a:b:c", 'sum by (model) (streamgauge_labels_total{kind="late"})')
        )
    with pytest.raises(AssertionError):
        test_every_metric_and_label_is_declared(
            Rule("a:b:c", "sum by (feature) (streamgauge_labels_total)")
        )


@pytest.mark.parametrize("rule", RECORDED, ids=lambda rule: rule.name)
def test_recorded_names_say_level_metric_and_operation(rule: Rule) -> None:
    level, metric, operation = rule.name.split(":")
    labels = {label for label in rule.grouped_by if label != "le"}
    assert set(level.split("_")) == labels or level == "_".join(sorted(labels)), "the level"
    names = [name.removesuffix("_total") for name, _ in rule.selectors]
    assert any(metric in name or name.startswith(metric) for name in names) or operation.startswith(
        "ratio"
    )
    # A counter loses its suffix with its rate, and the range stands in the name.
    assert not metric.endswith("_total")
    ranges = set(re.findall(r"\[(\w+)\]", rule.expr))
    assert all(operation.endswith(each) for each in ranges)


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
def test_an_alert_says_who_what_and_what_to_do(alert: Rule) -> None:
    assert alert.labels["severity"] in {"critical", "warning", "info", "none"}
    assert alert.labels["team"] in {"ml", "platform"}
    assert set(alert.annotations) == {"summary", "description", "runbook_url", "dashboard_url"}
    path, _, heading = alert.annotations["runbook_url"].partition("#")
    headings = re.findall(r"^### (\w+)$", (PROMETHEUS.parents[1] / path).read_text(), re.M)
    assert heading == alert.name.lower() and alert.name in headings
    dashboard = re.search(r"/d/streamgauge-(\w+)", alert.annotations["dashboard_url"])
    assert dashboard is not None and dashboard.group(1) in DASHBOARDS
    about_a_model = "$labels.model" in alert.annotations["summary"]
    assert ("var-model=" in alert.annotations["dashboard_url"]) == about_a_model


def test_nobody_is_paged_twice() -> None:
    """What models do is the alarms' business: no alert about a model wakes anybody."""
    about_models = [a for a in ALERTS if a.labels["team"] == "ml"]
    assert {a.name for a in about_models} >= {"DriftSustained", "PerformanceBelowFloor"}
    assert not [a.name for a in about_models if a.labels["severity"] in PAGES]


def test_the_runbook_has_no_heading_of_an_alert_that_is_gone() -> None:
    headings = re.findall(r"^### (\w+)$", (PROMETHEUS / "runbook.md").read_text(), re.M)
    assert sorted(headings) == sorted(alert.name for alert in ALERTS)


def cases() -> dict[str, list[set[str]]]:
    """By alert the labels of the series expected to fire at each time that is looked at."""
    found: dict[str, list[set[str]]] = defaultdict(list)
    for path in TESTS:
        for test in yaml.safe_load(path.read_text())["tests"]:
            for look in test["promql_expr_test"]:
                name = re.search(r'alertname="(\w+)", alertstate="firing"', look["expr"])
                if name is not None:
                    series = [sample["labels"] for sample in look["exp_samples"]]
                    found[name.group(1)].append(set(re.findall(r"(\w+)=", " ".join(series))))
    return found


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
def test_an_alert_is_tried_firing_and_silent(alert: Rule) -> None:
    looks = cases()[alert.name]
    assert any(looks), "no case in which it fires"
    # The Watchdog has no silence.
    assert not all(looks) or alert.name == "Watchdog"
    # What it says names only labels that it has.
    said = set(re.findall(r"\$labels\.(\w+)", " ".join(alert.annotations.values())))
    for labels in filter(None, looks):
        assert said <= labels


def promtool(*arguments: str | Path) -> None:
    if shutil.which("promtool") is None:
        missing("no promtool on PATH")
    done = subprocess.run(
        ["promtool", *map(str, arguments)], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.integration
def test_promtool_takes_configuration_and_rules() -> None:
    promtool("check", "config", "--lint=all", "--lint-fatal", PROMETHEUS / "prometheus.yml")


@pytest.mark.integration
@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.name)
def test_the_rules_do_what_their_tests_say(path: Path) -> None:
    promtool("test", "rules", path)


def test_each_file_of_rules_has_one_of_tests() -> None:
    assert [f.stem for f in FILES] == [t.name.removesuffix(".test.yml") for t in TESTS]
