"""How a command fails: one line that says what and what to do, and an exit code."""

from __future__ import annotations

FAILED = 1
USAGE = 2
UNREACHABLE = 3
CHECK_FAILED = 4


class CommandFailed(Exception):
    """The command can't do what it was asked for. The text is for people, on one line."""

    code = FAILED

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def line(self) -> str:
        """The one line that is printed."""
        text = f"error: {self.message}" + (f"; {self.hint}" if self.hint else "")
        return " ".join(text.split())


class WrongUsage(CommandFailed):
    """The command line or the settings are wrong."""

    code = USAGE


class Unreachable(CommandFailed):
    """Kafka or Redis does not answer."""

    code = UNREACHABLE


class CheckFailed(CommandFailed):
    """What was checked is not in order."""

    code = CHECK_FAILED
