"""What every part of a spec shares: frozen, strict about names, clear about what comes later."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pydantic import BaseModel, ConfigDict


class SpecPart(BaseModel):
    """Base of all parts. A key that is not known is a mistake, never ignored.

    ``planned`` names keys that the design has and this version does not do: a spec that uses one
    is refused with those words, because a threshold that is silently not watched is worse.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    planned: ClassVar[Mapping[str, str]] = {}
