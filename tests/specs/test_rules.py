"""The section ``rules`` of a spec: its fields, and where a mistake is pointed at."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from streamgauge.specs.rules import Rules, RuleSpec

_rules: TypeAdapter[tuple[RuleSpec, ...]] = TypeAdapter(Rules)
RULE: dict[str, Any] = {
    "name": "limit-holds",
    "check": "amount >= 0 and amount <= limit",
    "max_ratio": "1e-3",
    "severity": "critical",
}


def test_a_rule_is_read() -> None:
    (rule,) = _rules.validate_python([RULE])
    assert (rule.name, rule.max_ratio, rule.severity) == ("limit-holds", 0.001, "critical")
    assert rule.check == RULE["check"]
    assert RuleSpec(name="r", check="a > 1").max_ratio == 0.0


@pytest.mark.parametrize(
    ("change", "path", "words"),
    [
        ({"check": "amount > limt.x"}, (0, "check"), 'feature("a.b")'),
        ({"check": "amount + > 1"}, (0, "check"), "character 10"),
        ({"name": "no spaces"}, (0, "name"), "letters, digits"),
        ({"max_ratio": 2}, (0, "max_ratio"), "from 0 to 1"),
        ({"severity": "loud"}, (0, "severity"), "critical"),
        ({"chek": "a > 1"}, (0, "chek"), "not permitted"),
    ],
)
def test_a_mistake_is_pointed_at(
    change: dict[str, Any], path: tuple[int | str, ...], words: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        _rules.validate_python([RULE | change])
    (error,) = caught.value.errors()
    assert error["loc"] == path
    assert words in error["msg"]


def test_two_rules_of_one_name_are_refused_at_the_second() -> None:
    with pytest.raises(ValidationError, match="rule 1 is called limit-holds too") as caught:
        _rules.validate_python([RULE, RULE])
    # The place below the section, as other parts give it.
    assert caught.value.errors()[0]["ctx"]["at"] == (1, "name")
