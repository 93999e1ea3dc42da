"""How far apart two histograms are: one distance a file, found by name."""

from __future__ import annotations

from streamgauge.distances.base import Distance
from streamgauge.distances.js import JensenShannon
from streamgauge.distances.ks import KolmogorovSmirnov
from streamgauge.distances.psi import PopulationStability

__all__ = ["Distance", "JensenShannon", "KolmogorovSmirnov", "PopulationStability"]
