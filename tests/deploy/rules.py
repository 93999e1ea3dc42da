"""Prometheus' rules as the files have them: what each is called, asks for, and says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

PROMETHEUS = Path(__file__).parents[2] / "deploy" / "prometheus"
FILES = sorted((PROMETHEUS / "rules").glob("*.yml"))
TESTS = sorted((PROMETHEUS / "tests").glob("*.test.yml"))
_SELECTOR = re.compile(r"\b(streamgauge_\w+|\w+:\w+:\w+|up)(?:\{([^}]*)\})?")
_GROUPING = re.compile(r"\b(?:by|without|on|ignoring|group_left)\s*\(([^)]*)\)")


@dataclass(frozen=True)
class Rule:
    """A recording rule, or an alert, which has annotations."""

    name: str
    expr: str
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)

    @property
    def selectors(self) -> list[tuple[str, list[str]]]:
        """Each metric, with the labels that it is chosen by."""
        return [
            (name, re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", matchers))
            for name, matchers in _SELECTOR.findall(_without_groupings(self.expr))
        ]

    @property
    def values(self) -> set[tuple[str, str, str]]:
        """Each (metric, label, value) that a matcher asks for, alternatives one by one."""
        return {
            (name, label, value)
            for name, matchers in _SELECTOR.findall(self.expr)
            for label, values in re.findall(r'(\w+)\s*=~?"([^"]*)"', matchers)
            for value in values.split("|")
        }

    @property
    def grouped_by(self) -> set[str]:
        """All labels of ``by (…)`` and ``on (…)``."""
        found = (labels.split(",") for labels in _GROUPING.findall(self.expr))
        return {label.strip() for labels in found for label in labels} - {""}


def _without_groupings(expr: str) -> str:
    return _GROUPING.sub("", expr)


def _rules(path: Path) -> list[dict[str, Any]]:
    groups = yaml.safe_load(path.read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


RECORDED = [Rule(r["record"], r["expr"]) for path in FILES for r in _rules(path) if "record" in r]
ALERTS = [
    Rule(r["alert"], r["expr"], r["labels"], r["annotations"])
    for path in FILES
    for r in _rules(path)
    if "alert" in r
]
