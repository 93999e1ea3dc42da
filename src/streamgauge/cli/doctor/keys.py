"""Whether the newest records lie where their key belongs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from streamgauge.cli.doctor.base import Check, Diagnosis, ok, skipped
from streamgauge.cli.doctor.site import Site

if TYPE_CHECKING:
    from streamgauge.cli.tail_lines import Seen

#: A share of misplaced records that one careless producer makes, beside many careful ones.
_FEW = 0.01
_REMEDIES = {
    "no key": "producers must give the model's name as the key",
    "the key of another model": "the key is the model's name, or name/shard",
    "another partition": "producers must partition by murmur2, as Java's and ours do"
    " (librdkafka: partitioner=murmur2_random); librdkafka's default is another hash",
}


class Keys(Check, name="keys"):
    """Key = model (or model/shard), partition = murmur2 of the key.

    Elsewhere a record is counted all the same, but a label misses its prediction, and a model is
    judged in pieces.
    """

    place = 60
    needs = ("kafka",)

    def look(self, site: Site) -> Diagnosis:
        sample, counts = site.sample, site.sources()
        if not sample.records:
            return skipped("no records in the input topics yet")
        wrong = [
            (each, why)
            for each in sample.records
            if (why := misplaced(each, counts.get(each.topic, 0)))
        ]
        number = len(sample.records)
        if not wrong:
            part = "" if sample.whole else " (not all partitions answered in time)"
            return ok(f"the newest {number} records lie where they belong{part}")
        first, why = wrong[0]
        kinds = sorted({each for _, each in wrong})
        return Diagnosis(
            "warning" if len(wrong) < _FEW * number else "problem",
            f"{len(wrong)} of the newest {number} records are misplaced ({', '.join(kinds)}), as"
            f" {first.topic}/{first.partition} offset {first.offset}, key {first.key!r}",
            _REMEDIES[why],
        )


def misplaced(seen: Seen, partitions: int) -> str:
    """What is wrong with a record's place, or nothing."""
    from streamgauge_client.keys import murmur2

    if not seen.key:
        return "no key"
    models = set(_models(seen))
    if models and re.sub(r"/\d+$", "", seen.key) not in models and seen.key not in models:
        return "the key of another model"
    if partitions and (murmur2(seen.key.encode()) & 0x7FFFFFFF) % partitions != seen.partition:
        return "another partition"
    return ""


def _models(seen: Seen) -> Iterator[str]:
    if seen.event is not None and isinstance(seen.event.get("model"), str):
        yield str(seen.event["model"])
