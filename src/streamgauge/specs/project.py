"""The project behind a model: what it is for, who answers for it, and what may go wrong."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from streamgauge.specs.base import SpecPart
from streamgauge.specs.claims import Expression, FigureName
from streamgauge.specs.scalars import Date, Name, Text, Texts, day_start, refuse
from streamgauge.specs.sections import Severity


class ProblemSpec(SpecPart):
    """The problem in the words of the business, and as a task that a model can learn."""

    business: Text | None = Field(None, description="What the business wants solved.")
    ml_task: Text | None = Field(None, description="What is predicted from what.")


class MilestoneSpec(SpecPart):
    """Something that is due on a day."""

    name: Text = Field(description="What is due.")
    due: Date = Field(description="The day.")
    done: bool = Field(False, description="Whether it is reached.")


class ProjectSpec(SpecPart):
    """What the model is for. The objective stands in every alarm; the rest is kept and shown."""

    objective: Text | None = Field(None, description="What is reached when the model works.")
    problem: ProblemSpec = ProblemSpec()
    approach: Literal["data_centric", "model_centric"] | None = Field(
        None, description="Which of the two is improved first when results are poor."
    )
    inputs: Texts = Field((), description="What the model sees: features, or where they are from.")
    targets: Texts = Field((), description="What it predicts.")
    requirements: Texts = Field((), description="What the service must do.")
    use_cases: Texts = Field((), description="Who uses it, and for what.")
    non_goals: Texts = Field((), description="What it is not for.")
    deliverables: Texts = Field((), description="What is handed over.")
    acceptance: Annotated[tuple[Expression, ...], Field(max_length=100)] = Field(
        (), description="Claims that hold when it is accepted, evaluated live: `recall >= 0.8`."
    )
    milestones: Annotated[tuple[MilestoneSpec, ...], Field(max_length=100)] = Field(
        (), description="What is due when; what is overdue, `check` says."
    )
    resources: Texts = Field((), description="Money, people, machines.")
    safety: Texts = Field((), description="Safety analysis, doctrine of use, human factors.")


class OwnerSpec(SpecPart):
    """Who answers for the model in one role, and from which day to which (both included)."""

    role: Name = Field(description="Like `on-call`, `data` or `product`.")
    team: Name | None = Field(None, description="The team that holds the role.")
    contact: Name | None = Field(None, description="An address, a channel, a name.")
    from_: Date | None = Field(None, alias="from", description="First day, in UTC.")
    to: Date | None = Field(None, description="Last day, in UTC.")

    @property
    def called(self) -> str:
        """Whom to turn to."""
        return self.team or self.contact or self.role

    def holds(self, time: float) -> bool:
        """Whether the role is theirs at a time (seconds since 1970)."""
        begun = self.from_ is None or time >= day_start(self.from_)
        return begun and (self.to is None or time < day_start(self.to) + 86_400.0)

    @model_validator(mode="after")
    def _fitting(self) -> Self:
        if self.team is None and self.contact is None:
            raise refuse("a team or a contact beside the role")
        if self.from_ is not None and self.to is not None and self.from_ > self.to:
            raise refuse(f"a day not before `from` ({self.from_})", at=("to",))
        return self


class RiskSpec(SpecPart):
    """What may go wrong, by what it is noticed, and what is done then.

    The contingency stands in the alarms that the figure or the monitor raises.
    """

    id: Name = Field(description="What people call it.")
    failure: Text = Field(description="What goes wrong.")
    metric: FigureName | None = Field(None, description="The figure that shows it.")
    monitor: Name | None = Field(
        None, description="The rule, or the kind of alarm, that tells of it."
    )
    contingency: Text | None = Field(None, description="What to do when it happens.")
    severity: Severity = Field("warning", description="Of its alarms.")


class ApprovalSpec(SpecPart):
    """Who must say yes before something is done."""

    action: Literal["promote", "retrain", "rollback", "apply"] = Field(
        description="What needs a yes."
    )
    by: Annotated[tuple[Name, ...], Field(min_length=1, max_length=50)] = Field(
        description="Who must say it."
    )
