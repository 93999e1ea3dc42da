"""The section ``rules`` of a spec: what must hold for each event."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, field_validator

from streamgauge.specs.base import SpecPart
from streamgauge.specs.expression import ExpressionError, parse_expression
from streamgauge.specs.features import Ratio
from streamgauge.specs.scalars import matching, refuse
from streamgauge.specs.sections import Severity

MAX_RULES = 50


class RuleSpec(SpecPart):
    """One rule: a check that is true of every event that is right.

    An alarm is due when more than ``max_ratio`` of the events that the check applies to break it;
    where something is missing, it does not apply.

    Examples
    --------
    >>> rule = RuleSpec(name="limit-holds", check="amount >= 0 and amount <= limit")
    >>> rule.max_ratio, rule.severity
    (0.0, 'warning')
    """

    name: Annotated[
        str,
        matching(
            r"[A-Za-z][A-Za-z0-9_.-]{0,63}",
            "a name of at most 64 letters, digits, dots, hyphens and underscores",
        ),
    ] = Field(description="What people call it; alarms name it.")
    check: str = Field(description="True of every event that is right: `amount <= limit`.")
    max_ratio: Ratio = Field(
        0.0, description="Share of the events it applies to that may break it, 0 to 1."
    )
    severity: Severity = Field("warning", description="Of its alarms.")

    @field_validator("check")
    @classmethod
    def _readable(cls, check: str) -> str:
        try:
            parse_expression(check)
        except ExpressionError as error:
            raise refuse(f"a check that is true or false: {error}") from None
        return check


def _distinct(rules: tuple[RuleSpec, ...]) -> tuple[RuleSpec, ...]:
    seen: dict[str, int] = {}
    for index, rule in enumerate(rules):
        first = seen.setdefault(rule.name, index)
        if first != index:
            raise refuse(
                f"another name: rule {first + 1} is called {rule.name} too", at=(index, "name")
            )
    return rules


#: All rules of a model.
Rules = Annotated[tuple[RuleSpec, ...], Field(max_length=MAX_RULES), AfterValidator(_distinct)]
