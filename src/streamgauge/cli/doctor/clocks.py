"""Whether the clocks of producers and brokers agree with ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from streamgauge.cli.doctor.base import Check, Diagnosis, ok, skipped
from streamgauge.cli.doctor.site import Site

if TYPE_CHECKING:
    from streamgauge.cli.tail_lines import Seen

#: Seconds that machines with a working NTP never differ by.
_NOTABLE = 5.0
_NTP = "let the machines of producers and brokers follow NTP"


class Clocks(Check, name="clocks"):
    """Records from the future, by our clock; events from the future, by their record's.

    A record that lies behind may be old, so only what lies ahead proves anything.
    """

    place = 70
    needs = ("kafka",)

    def look(self, site: Site) -> Diagnosis:
        from streamgauge.batch.limits import MAX_LEAD_SECONDS

        records = [each for each in site.sample.records if each.timestamp is not None]
        if not records:
            return skipped("no records in the input topics yet")
        now = site.clock()
        ahead = max((each.timestamp or 0.0) - now for each in records)
        leads = [(_lead(each), each) for each in records]
        lead, where = max(leads, key=lambda item: item[0])
        dead = sum(each > MAX_LEAD_SECONDS for each, _ in leads)
        if dead:
            return Diagnosis(
                "problem",
                f"{dead} of the newest {len(records)} events lie more than"
                f" {MAX_LEAD_SECONDS:.0f} s ahead of their record, and become dead letters"
                f" (`future`), as {where.topic}/{where.partition} offset {where.offset} of model"
                f" {where.model!r}",
                "correct the producer's clock, or the unit of its timestamps",
            )
        if ahead > _NOTABLE:
            return Diagnosis(
                "problem" if ahead > MAX_LEAD_SECONDS else "warning",
                f"the newest record is {ahead:.0f} s ahead of the clock here",
                _NTP,
            )
        if lead > _NOTABLE:
            text = f"events lie up to {lead:.0f} s ahead of their record (model {where.model!r})"
            return Diagnosis("warning", text, _NTP)
        return ok(f"none of the newest {len(records)} records is ahead of the clock here")


def _lead(seen: Seen) -> float:
    """Seconds by which an event lies ahead of its record; 0 where that can't be told."""
    from streamgauge_client.events.timestamp import to_seconds

    given = (seen.event or {}).get("timestamp")
    if (
        seen.timestamp is None
        or isinstance(given, bool)
        or not isinstance(given, int | float | str)
    ):
        return 0.0
    try:
        return to_seconds(given) - seen.timestamp
    except ValueError:
        return 0.0
