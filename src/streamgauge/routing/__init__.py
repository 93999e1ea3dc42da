"""From the alarms topic to the sinks: the way, its order, its retries, and its guard."""

from __future__ import annotations
