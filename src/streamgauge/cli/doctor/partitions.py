"""Whether all inputs have the same number of partitions."""

from __future__ import annotations

from streamgauge.cli.doctor.base import Check, Diagnosis, ok, skipped
from streamgauge.cli.doctor.site import Site


class Partitions(Check, name="partitions"):
    """A label meets its prediction in the partition of the same number, or never."""

    place = 40
    needs = ("kafka",)

    def look(self, site: Site) -> Diagnosis:
        counts = site.sources()
        if not counts:
            return skipped("no input topic is there yet")
        if len(set(counts.values())) == 1:
            number = next(iter(counts.values()))
            return ok(f"{number} in each of {len(counts)} input topics")
        listed = ", ".join(f"{name} {count}" for name, count in counts.items())
        most = max(counts.values())
        small = next(name for name, count in counts.items() if count < most)
        return Diagnosis(
            "problem",
            f"input topics differ in their number of partitions ({listed}): labels miss their"
            " predictions, and monitors refuse to start",
            f"give all of them {most}: kafka-topics.sh --alter --topic {small} --partitions {most}",
        )
