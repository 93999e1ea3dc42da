"""Streamgauge: watches models in production over the stream of their predictions."""
