"""Serving: the current champion, swapped while it answers."""

from __future__ import annotations

from streamgauge.serving.served_model import ServedModel

__all__ = ["ServedModel"]
