"""Online detectors: one a file, found by name."""

from __future__ import annotations

from streamgauge.detectors.adwin import ADWIN
from streamgauge.detectors.base import Detection, Detector
from streamgauge.detectors.ddm import DDM
from streamgauge.detectors.eddm import EDDM
from streamgauge.detectors.fhddm import FHDDM
from streamgauge.detectors.hddm_a import HDDMA
from streamgauge.detectors.hddm_w import HDDMW
from streamgauge.detectors.page_hinkley import PageHinkley

create = Detector.create
create_for_errors = Detector.create_for_errors

__all__ = [
    "ADWIN",
    "DDM",
    "EDDM",
    "FHDDM",
    "HDDMA",
    "HDDMW",
    "Detection",
    "Detector",
    "PageHinkley",
    "create",
    "create_for_errors",
]
