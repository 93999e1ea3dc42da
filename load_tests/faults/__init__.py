"""Faults on purpose: a real Kafka, a real Redis, the real monitor, and a recount afterwards.

    python -m load_tests.faults --runs 3 [--only kill9_random,redis_wiped] [--seed 1] [--list]

A run has topics, a Redis and monitor processes of its own; the broker is shared. Seeded traffic is
sent at a steady pace (``traffic``), the fault strikes in the middle of it (``*_faults``, each one a
function found by its name), and when the system has come to rest a single pass over the topic says
what should have come out (``recount``): state blobs byte by byte, alarms, dead letters, counts.

What the recount shares with the monitor is the partition processor, ``PartitionMonitor``, fed once
with the whole topic: no worker, no store, no checkpoint, no cut. The number of dead letters is held
against the poison that the traffic was made with, which no code of the product has counted.

A row can promise more than that: pipeline alarms (``raises``), a time, a process that goes on
(``Rig.expect``). A promise that was not kept fails the run. What a fault takes out of a topic, the
rig has read before (``gone``), so that the single pass has the same hole.

*Recovery* is from the fault to the first checkpoint on every partition that has records waiting.
It holds the time for which the rig itself kept something away; the column ``down`` says how long
that was.
"""

from __future__ import annotations
