"""How much of what was sent is judged."""

from __future__ import annotations

from collections import Counter

from streamgauge.cli.doctor.base import Check, Diagnosis, ok, skipped
from streamgauge.cli.doctor.site import Site

#: Ratios that deserve a word, and that are a problem.
_DEAD, _DEAD_GROSS = 0.01, 0.1
_LATE = 0.05
_LOST = 0.001


class Losses(Check, name="losses"):
    """Records lost, dead and late, over all that was read since the first."""

    place = 240
    needs = ("redis",)

    def look(self, site: Site) -> Diagnosis:
        from streamgauge.exposition.partitions import conservation_difference

        snapshot = site.snapshot
        views = [view for _, view in snapshot.partitions]
        total = sum(sum(view.counts.values()) for view in views)
        if not total:
            return skipped("nothing was read yet")
        reasons: Counter[str] = Counter()
        outcomes: Counter[str] = Counter()
        for view in views:
            reasons.update(view.dead)
            for what, n in view.counts.items():
                outcomes[what.rpartition("/")[2]] += n
        dead = reasons.total()
        gone = sum(view.lost for view in views)
        astray = sum(abs(conservation_difference(view)) for view in views)
        never = sum(view.lost_events for view in snapshot.models)
        if astray:
            return Diagnosis(
                "problem",
                f"{astray} records were read and nobody knows what became of them",
                "this is a defect of ours: please report it, with `streamgauge doctor -o json`",
            )
        if gone:
            return Diagnosis(
                "problem",
                f"{gone} records were gone from Kafka before they were read",
                "raise the retention of the input topics, or add monitors",
            )
        if dead > _DEAD * total:
            reason, n = reasons.most_common(1)[0]
            return Diagnosis(
                "problem" if dead > _DEAD_GROSS * total else "warning",
                f"{dead / total:.1%} of {total} records are dead letters, most of them `{reason}`"
                f" ({n})",
                "see why: streamgauge tail dead-letters --from-beginning --no-follow",
            )
        if never > _LOST * total:
            return Diagnosis(
                "warning",
                f"{never} events were numbered by their producers and never came"
                f" ({never / total:.1%} of what did)",
                "look at dropped events in the producers' `stats()`: their queues are too small",
            )
        late = outcomes["late"] or sum(view.late for view in snapshot.models)
        if late > _LATE * total:
            return Diagnosis(
                "warning",
                f"{late / total:.1%} of {total} records came too late for their window",
                "raise `defaults.grace` in the specs of models that deliver late",
            )
        return ok(
            f"of {total} records {dead} dead, {late} late, {gone} gone; {never} events never came"
        )
