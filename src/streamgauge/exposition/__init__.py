"""What others see of Streamgauge over HTTP: metrics, health, and what the console says in words."""

from __future__ import annotations
