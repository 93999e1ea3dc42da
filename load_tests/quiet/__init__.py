"""Thirty simulated days of models in which nothing happens: how often is something said?

    python -m load_tests.quiet [--models 200] [--days 30] [--seed 1] [--drifts 200]

Every model is a recipe (``recipes``): six features of different kinds, a score with its label, a
latency, a rate between one event a minute and a thousand a second, and a nature: what moves in it
by itself. A thousand events a second for thirty days are 2.6 billion, so models enter in two ways:

* slow ones as *events*: JSON records through ``PartitionMonitor.process``, all of the real way;
* fast ones as *panes*: sufficient statistics of every pane (multinomial counts over the monitor's
  own bins, drawn from the same distribution that events would be drawn from) are put into
  ``Series.panes`` and closed by ``ModelMonitor.advance``. Judgement, policy and learning are the
  product's; only the counting of events into bins is replaced, and with it the detectors that are
  fed event by event (score, latency, errors: they date changes and raise no alarm), the anomaly
  score of inputs together, and silence. The first events of every version go the real way, until
  its bins are drawn.

A pane holds a window here (about 550 events, at least 5 minutes) where the default is 10 s: closing
thirty times as many shows little more. Of each nature, one slow and one fast model keep the
default: panes of 10 s, and a window a minute. The output says how many models went which way.
"""

from __future__ import annotations
