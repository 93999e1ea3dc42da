"""The standard job: Streamgauge beside what else does the same, in one run, in ratios.

    python -m load_tests.standard_job [--events N] [--rounds R] [--only names] [--growth]

The job (``job``): JSON prediction events of about 440 bytes, ten numeric features of which one in
a hundred is missing, two categories, one score. For every numeric column ADWIN takes every event;
for every window of 1,000 events and every column there are count, missing, mean, deviation,
extremes, quantiles, a histogram in the reference's bins and how far it is from the reference.

Each way (``ways``) does it in a process of its own that is pinned to one core, one at a time.
Kafka, Redis and this program have the other core; the log is written before anything is measured.
Others use the machine too, so rates are not compared across runs: every round runs every way
once, and a ratio is the median over rounds of two rates of the same round. A rate is of the core:
seconds in which the way wanted to run and others had its core are left out (``core_time``). What
others take of the core on which Kafka and Redis are can't be left out; it makes what waits for
them look slower than it is. Rates by the clock stand beside.

Streamgauge does more than the job meanwhile: all that is watched without a word stays on. A
monitor is measured between its first checkpoint and its last. The peers have no detector that
takes events, and Evidently's preset judges without summing up.
"""

from __future__ import annotations
