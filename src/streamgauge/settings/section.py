"""What every part of the settings is."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """Base of a part of the settings: frozen, and a key it does not know is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")
