"""Where alarms go: one file a sink, found by its name."""

from __future__ import annotations
