"""Baselines: what a feature looked like when all was well."""

from __future__ import annotations

from streamgauge.references.bins import Bins, CategoryBins, NumericBins
from streamgauge.references.profile import ReferenceProfile, TargetReference

__all__ = ["Bins", "CategoryBins", "NumericBins", "ReferenceProfile", "TargetReference"]
