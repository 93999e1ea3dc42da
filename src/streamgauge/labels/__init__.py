"""The label join: predictions wait for their truth, in bounded room and in log order."""

from __future__ import annotations

from streamgauge.labels.block import Rows
from streamgauge.labels.join import Amendment, JoinRule, LabelJoin, Released
from streamgauge.labels.truth import Truth

__all__ = ["Amendment", "JoinRule", "LabelJoin", "Released", "Rows", "Truth"]
