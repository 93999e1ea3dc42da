"""What is odd about a valid spec: names that lead nowhere, risks nobody sees, promises untold."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator

from streamgauge.specs.claims import parse_figure
from streamgauge.specs.criteria import every_criterion
from streamgauge.specs.measures import measure, nearest_measure
from streamgauge.specs.mentions import feature_remarks
from streamgauge.specs.model_spec import ModelSpec
from streamgauge.specs.owners import owners_at
from streamgauge.specs.remark import Remark
from streamgauge.specs.scalars import day_start
from streamgauge_client.events.alarm import ALARM_KINDS

#: Rules that judge without being asked to; a risk may name one of them.
BUILT_IN_RULES = (
    "js",
    "missing",
    "wrong_type",
    "out_of_range",
    "new_category",
    "scale",
    "low_confidence",
    "error_ratio",
    "p95",
    "duplicate",
    "late",
    "silence",
)


def lint(spec: ModelSpec, *, today: float, rules: Collection[str] = BUILT_IN_RULES) -> list[Remark]:
    """All remarks, none of which makes the spec invalid.

    ``today`` (seconds since 1970) tells what is overdue; ``rules`` are the names of rules that
    judge without a spec.
    """
    return [
        *_empty(spec),
        *_claims(spec),
        *_risks(spec, rules),
        *feature_remarks(spec),
        *_privacy(spec),
        *_dates(spec, today),
    ]


def _empty(spec: ModelSpec) -> Iterator[Remark]:
    if not spec.project.objective:
        said = "no objective: alarms can't say what the model is for"
        yield Remark(("project",), said, "add `project: {objective: ...}`", key=True)
    if not spec.owners and not spec.owner:
        said = "no owner: alarms go to nobody in particular"
        yield Remark(("owners",), said, "add `owners: [{role: on-call, team: ...}]`", key=True)
    if not every_criterion(spec):
        said = "no criteria: nothing says when the model is good enough"
        hint = "add `criteria: [{name: ..., expr: error_ratio <= 0.01}]`, or `slo`"
        yield Remark(("criteria",), said, hint, key=True)


def _claims(spec: ModelSpec) -> Iterator[Remark]:
    for each in every_criterion(spec):
        yield from _figure(each.path, each.claim.name)
        known = measure(each.claim.name)
        if known is not None and known.needs == "labels":
            said = f"{each.claim.name} needs labels: UNDECIDED until a window of them is settled"
            unsaid = spec.label_delay.expected_seconds is None
            yield Remark(each.path, said, "say when they come: `label_delay`" if unsaid else "")
    for i, baseline in enumerate(spec.baselines):
        yield from _figure(("baselines", i, "metric"), parse_figure(baseline.metric)[0])


def _figure(path: tuple[str | int, ...], name: str) -> Iterator[Remark]:
    if measure(name) is None:
        near = nearest_measure(name)
        hint = f"did you mean `{near}`?" if near else ""
        yield Remark(path, f"no figure is called {name}: it can't be known", hint)


def _risks(spec: ModelSpec, rules: Collection[str]) -> Iterator[Remark]:
    own = [rule.name for rule in spec.rules]
    monitors = [*own, *rules, *ALARM_KINDS, *spec.behaviour]
    for i, risk in enumerate(spec.risks):
        path = ("risks", i)
        if risk.metric is None and risk.monitor is None:
            said = f"nothing tells of the risk {risk.id!r}"
            yield Remark((*path, "id"), said, "name a `metric` or a `monitor`")
        if risk.metric is not None:
            yield from _figure((*path, "metric"), parse_figure(risk.metric)[0])
        if risk.monitor is not None and risk.monitor not in monitors:
            near = difflib.get_close_matches(risk.monitor, monitors, n=1)
            there = f"there are: {', '.join([*own, *ALARM_KINDS])}"
            hint = f"did you mean `{near[0]}`?" if near else there
            said = f"no rule and no kind of alarm is called {risk.monitor}"
            yield Remark((*path, "monitor"), said, hint)
        if risk.contingency is None:
            said = f"the risk {risk.id!r} has no contingency: its alarm can't say what to do"
            yield Remark((*path, "id"), said, "add `contingency`")


def _privacy(spec: ModelSpec) -> Iterator[Remark]:
    for name, policy in spec.privacy.items():
        declared = spec.features.get(name)
        if declared is None or declared.ignore:
            continue
        path = ("privacy", name)
        if policy == "drop":
            said = f"{name} is dropped before it is counted: `features.{name}` judges nothing"
            yield Remark(path, said, f"set `ignore: true` in `features.{name}`")
        edges = isinstance(policy, dict) and isinstance(policy["bucket"], list)
        if (policy == "hash" or edges) and declared.declared_type == "numeric":
            said = f"{name} comes as words, and `features.{name}` says that it is numeric"
            yield Remark(path, said, "declare it categorical, or give a bucket's width")
        if policy == "hash" and declared.allowed is not None:
            said = f"{name} comes hashed: none of `features.{name}.allowed` will ever be seen"
            yield Remark(path, said, "leave `allowed` out")


def _dates(spec: ModelSpec, today: float) -> Iterator[Remark]:
    if spec.owners and not any(owners_at(spec, today)):
        yield Remark(("owners",), "nobody holds a role today", "add who does", key=True)
    for i, milestone in enumerate(spec.project.milestones):
        if not milestone.done and day_start(milestone.due) + 86_400.0 <= today:
            path = ("project", "milestones", i, "due")
            said = f"{milestone.name!r} was due on {milestone.due}"
            yield Remark(path, said, "set `done: true`, or another day")
