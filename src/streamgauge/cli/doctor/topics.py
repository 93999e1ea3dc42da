"""Whether the topics are there, and led by somebody."""

from __future__ import annotations

from streamgauge.cli.doctor.base import Check, Diagnosis, ok, some
from streamgauge.cli.doctor.site import Site

_CREATE = "create them: python -m services.stack.topics"


class Topics(Check, name="topics"):
    """All topics of the contract exist under the prefix, and each partition has a leader."""

    place = 30
    needs = ("kafka",)

    def look(self, site: Site) -> Diagnosis:
        from streamgauge_client.topics import SOURCES, TOPICS

        prefix, there = site.settings.kafka.topic_prefix, site.metadata.topics
        known = {name for name, topic in there.items() if topic.partitions}
        missing = [t for t in TOPICS if t.under(prefix) not in known]
        if inputs := [topic.under(prefix) for topic in missing if topic in SOURCES]:
            others = sorted(name for name in known if name.endswith(".predictions"))
            hint = f"; or is the prefix another one ({some(others)})?" if others else ""
            return Diagnosis("problem", f"there is no {some(inputs)}", _CREATE + hint)
        names = [topic.under(prefix) for topic in TOPICS if topic not in missing]
        headless = [
            f"{name}/{number}"
            for name in names
            for number, partition in sorted(there[name].partitions.items())
            if partition.leader < 0
        ]
        if headless:
            return Diagnosis(
                "problem",
                f"{len(headless)} partitions have no leader: {some(headless)}",
                "start the brokers that hold them",
            )
        if missing:
            absent = some([topic.under(prefix) for topic in missing])
            return Diagnosis("warning", f"there is no {absent} yet", _CREATE)
        single = [
            name
            for name in names
            if any(len(p.replicas) == 1 for p in there[name].partitions.values())
        ]
        if single and len(site.metadata.brokers) >= 3:
            return Diagnosis(
                "warning",
                f"{some(single)} have a single replica: a lost broker loses them",
                "raise the replication factor to 3",
            )
        return ok(f"all {len(names)} are there")
