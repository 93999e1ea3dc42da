"""The label join: predictions wait for their truth, in bounded room and in log order."""

from __future__ import annotations

from streamgauge.labels.block import Rows
from streamgauge.labels.join import LabelJoin
from streamgauge.labels.released import Amendment, Joined, JoinRule, Released
from streamgauge.labels.truth import Truth

__all__ = ["Amendment", "Joined", "JoinRule", "LabelJoin", "Released", "Rows", "Truth"]
