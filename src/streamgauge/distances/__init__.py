"""How far apart two histograms are: one distance a file, found by name."""

from __future__ import annotations

from streamgauge.distances.base import Distance
from streamgauge.distances.chi_square import ChiSquare
from streamgauge.distances.hellinger import Hellinger
from streamgauge.distances.js import JensenShannon
from streamgauge.distances.ks import KolmogorovSmirnov
from streamgauge.distances.psi import PopulationStability
from streamgauge.distances.wasserstein import Wasserstein

__all__ = [
    "ChiSquare",
    "Distance",
    "Hellinger",
    "JensenShannon",
    "KolmogorovSmirnov",
    "PopulationStability",
    "Wasserstein",
]
