"""The standard job: Streamgauge beside what else does the same, in one run, in ratios.

    python -m load_tests.standard_job [--events N] [--rounds R] [--only names] [--growth]

The job (``job``): JSON prediction events of about 440 bytes, ten numeric features of which one in
a hundred is missing, two categories, one score. For every numeric column ADWIN takes every event;
for every window of 1,000 events and every column there are count, missing, mean, deviation,
extremes, quantiles, a histogram in the reference's bins and how far it is from the reference.

Each way (``ways``) does it in a process of its own that is pinned to one core, one at a time.
Kafka, Redis and this program have the other core; the log is written before anything is measured.
Others use the machine too, so rates are not compared across runs: every round runs every way
once, and a ratio is the median over rounds of two rates of the same round.
"""

from __future__ import annotations
