"""Whether a monitor runs for every partition, and keeps up."""

from __future__ import annotations

from streamgauge.cli.doctor.base import Check, Diagnosis, ok, some
from streamgauge.cli.doctor.site import Site
from streamgauge.cli.failures import CommandFailed


class Monitors(Check, name="monitors"):
    """Processes that say they run, the partitions that they own, and the age of their views."""

    place = 220
    needs = ("redis",)

    def look(self, site: Site) -> Diagnosis:
        snapshot = site.snapshot
        monitors = [each for each in snapshot.processes if each.service == "monitor"]
        if not monitors:
            return Diagnosis(
                "problem",
                "no monitor runs: nothing is judged",
                "start one: python -m services.monitor (or python -m services.stack)",
            )
        owned = {partition for each in monitors for partition in each.partitions}
        try:
            partitions = max(site.sources().values(), default=0)
            ends = dict(site.sample.ends)
        except CommandFailed:
            partitions, ends = 0, {}
        if alone := sorted(set(range(partitions)) - owned):
            return Diagnosis(
                "problem",
                f"nobody has partition {some([str(each) for each in alone])} of {partitions}",
                "wait a minute: it may have just been handed over; then look at the monitors' logs",
            )
        limit = site.settings.exporter.stale_seconds
        behind = [
            f"partition {view.partition} ({left} records unread, its view {age:.0f} s old)"
            for _, view in snapshot.partitions
            if (left := _left(view.partition, view.positions, ends)) > 0
            and view.written_at is not None
            and (age := snapshot.read_at - view.written_at) > limit
        ]
        if behind:
            return Diagnosis(
                "problem",
                f"monitors stand still: {some(behind)}",
                "look at their logs and at /readyz",
            )
        versions = sorted({each.version for each in monitors if each.version})
        if len(versions) > 1:
            return Diagnosis(
                "warning",
                f"monitors of different versions run: {', '.join(versions)}",
                "finish the update",
            )
        if unread := sum(snapshot.skipped.values()):
            return Diagnosis(
                "warning",
                f"{unread} views can't be read here",
                "another version of streamgauge writes them: update this one",
            )
        who = some([each.instance for each in monitors])
        return ok(f"{len(monitors)} for {len(owned)} partitions: {who}")


def _left(partition: int, positions: dict[str, int], ends: dict[tuple[str, int], int]) -> int:
    """Records of a partition number that were not read yet."""
    return sum(
        max(ends.get((topic, partition), position) - position, 0)
        for topic, position in positions.items()
    )
