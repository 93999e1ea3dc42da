"""The ``streamgauge`` command."""

from __future__ import annotations


def main() -> None:
    """Run the command. Everything heavy is imported by the verb that needs it."""
    from streamgauge.cli.app import app

    app()
