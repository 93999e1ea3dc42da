"""Serving: the current champion, swapped while it answers."""

from __future__ import annotations

from streamgauge.serving.served_model import Answer, ServedModel
from streamgauge.serving.serving import NotServing

__all__ = ["Answer", "NotServing", "ServedModel"]
