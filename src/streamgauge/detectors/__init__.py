"""Online detectors: one a file, found by name."""

from __future__ import annotations

from streamgauge.detectors.adwin import ADWIN
from streamgauge.detectors.base import Detector
from streamgauge.detectors.page_hinkley import PageHinkley

create = Detector.create

__all__ = ["ADWIN", "Detector", "PageHinkley", "create"]
