"""What others see of Streamgauge over HTTP: metrics, health and the status page."""

from __future__ import annotations
