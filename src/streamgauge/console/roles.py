"""What somebody may do in the console."""

from __future__ import annotations

from enum import IntEnum


class Role(IntEnum):
    """Each may do what those before it may, and more."""

    #: Looks at every screen.
    VIEWER = 1
    #: Acknowledges, silences for some days, lifts, judges.
    OPERATOR = 2
    #: Silences for longer.
    ADMIN = 3

    @property
    def word(self) -> str:
        """As the settings and the browser call it."""
        return self.name.lower()

    @property
    def setting(self) -> str:
        """Where its tokens stand, in the section ``exporter``."""
        return "token" if self is Role.VIEWER else f"{self.word}_token"
