"""When a model is good enough: criteria, service levels, limits, and baselines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple, Self

from pydantic import Field, model_validator

from streamgauge.specs.base import SpecPart
from streamgauge.specs.claims import Claim, Expression, FigureName, parse_claim
from streamgauge.specs.features import Ratio
from streamgauge.specs.scalars import Name, Number, Text, between, refuse

if TYPE_CHECKING:
    from streamgauge.specs.model_spec import ModelSpec

CriterionKind = Literal["ml", "software", "business", "acceptance"]
_POSITIVE = between(1e-9, 1e18, "a number above 0")


class CriterionSpec(SpecPart):
    """One measure of success: a claim about a figure, and who agreed to it.

    It is evaluated on every judged window: PASS, FAIL or UNDECIDED, with an interval.
    """

    name: Name = Field(description="What people call it.")
    kind: Literal["ml", "software", "business"] = Field(
        "ml", description="Whose success it is: the model's, the service's, or the business'."
    )
    expr: Expression = Field(
        description="A figure, one of < <= > >=, a number: `error_ratio <= 0.01`."
    )
    agreed_by: Annotated[tuple[Name, ...], Field(max_length=50)] = Field(
        (), description="Who signed it off."
    )


class SloSpec(SpecPart):
    """Service levels that the model's service promises. Each is a criterion, too."""

    p95_latency_ms: Annotated[Number, _POSITIVE] | None = Field(
        None, description="95 % of predictions take no longer, in milliseconds."
    )
    qps: Annotated[Number, _POSITIVE] | None = Field(
        None, description="Predictions a second that the service is built for, at most."
    )
    error_rate: Ratio | None = Field(
        None, description="Share of predictions that may end in an error, 0 to 1."
    )


class ComputeSpec(SpecPart):
    """What a process of the service may use, as its telemetry tells it. Each is a criterion."""

    cpu_ratio: Annotated[Number, _POSITIVE] | None = Field(
        None, description="Processor time, one core is 1."
    )
    memory_bytes: Annotated[Number, _POSITIVE] | None = Field(
        None, description="Resident memory in bytes, like 2e9."
    )
    gpu_ratio: Ratio | None = Field(None, description="Use of the GPU, 0 to 1.")
    gpu_memory_bytes: Annotated[Number, _POSITIVE] | None = Field(
        None, description="Memory of the GPU in bytes."
    )


class BaselineSpec(SpecPart):
    """What the model is measured against: people, the system before, the trivial answer."""

    kind: Literal[
        "hlp",
        "previous",
        "competitor",
        "literature",
        "prototype",
        "public",
        "trivial",
        "irreducible",
    ] = Field(description="hlp is human-level performance; irreducible is the error nobody avoids.")
    metric: FigureName = Field(description="The figure that it is about.")
    value: Number = Field(description="What it reaches.")
    ci: tuple[Number, Number] | None = Field(
        None, description="[lowest, highest]: the interval in which the value lies."
    )
    source: Text | None = Field(None, description="Where the number comes from.")

    @model_validator(mode="after")
    def _around(self) -> Self:
        if self.ci is not None and not self.ci[0] <= self.value <= self.ci[1]:
            raise refuse(f"[lowest, highest] around the value {self.value:g}", at=("ci",))
        return self


class Criterion(NamedTuple):
    """A criterion that is evaluated, wherever in the spec it stands.

    ``path`` is that place, as keys and indices from the top of the spec.
    """

    name: str
    kind: CriterionKind
    claim: Claim
    expr: str
    path: tuple[str | int, ...]


def every_criterion(spec: ModelSpec) -> list[Criterion]:
    """All that is claimed: ``criteria``, acceptance, service levels and limits, in that order."""
    return list(_criteria(spec))


def _criteria(spec: ModelSpec) -> Iterator[Criterion]:
    for i, each in enumerate(spec.criteria):
        claim = parse_claim(each.expr)
        yield Criterion(each.name, each.kind, claim, each.expr, ("criteria", i, "expr"))
    for i, expr in enumerate(spec.project.acceptance):
        claim, path = parse_claim(expr), ("project", "acceptance", i)
        yield Criterion(f"acceptance {i + 1}", "acceptance", claim, expr, path)
    levels = (
        ("slo", "p95_latency_ms", "p95_latency_ms", spec.slo.p95_latency_ms),
        ("slo", "qps", "throughput", spec.slo.qps),
        ("slo", "error_rate", "error_ratio", spec.slo.error_rate),
        *(("compute", key, key, getattr(spec.compute, key)) for key in ComputeSpec.model_fields),
    )
    for section, key, figure, bound in levels:
        if bound is not None:
            claim = Claim(figure, None, "<=", bound)
            expr = f"{figure} <= {bound:g}"
            yield Criterion(f"{section}.{key}", "software", claim, expr, (section, key))
