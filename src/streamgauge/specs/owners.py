"""Who answers for a model at a time."""

from __future__ import annotations

from collections.abc import Iterator

from streamgauge.specs.model_spec import ModelSpec
from streamgauge.specs.project import OwnerSpec


def owners_at(spec: ModelSpec, time: float) -> Iterator[OwnerSpec]:
    """The roles that somebody holds at a time (seconds since 1970), in the spec's order."""
    return (each for each in spec.owners if each.holds(time))


def owner_at(spec: ModelSpec, time: float, *, role: str | None = None) -> str | None:
    """Whom an alarm of that time goes to; ``spec.owner`` where nobody holds a role.

    Of several, the first that the spec lists; with ``role`` the first in that role, if there is one
    at all. A function of the time that is given, so a replay names the same.
    """
    holding = list(owners_at(spec, time))
    fitting = [each for each in holding if each.role == role] or holding
    return fitting[0].called if fitting else spec.owner
