"""Online detectors: one a file, found by name."""

from __future__ import annotations

from streamgauge.detectors.adwin import ADWIN
from streamgauge.detectors.base import Detector

create = Detector.create

__all__ = ["ADWIN", "Detector", "create"]
