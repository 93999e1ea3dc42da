"""Whether Redis' clock agrees with ours."""

from __future__ import annotations

from streamgauge.cli.doctor.base import Check, Diagnosis, ok
from streamgauge.cli.doctor.site import Site

_NOTABLE, _GROSS = 2.0, 60.0


class RedisClock(Check, name="redis_clock"):
    """TIME against the middle of asking. Keys of processes expire by that clock."""

    place = 120
    needs = ("redis",)

    def look(self, site: Site) -> Diagnosis:
        before = site.clock()
        seconds, micros = site.redis.time()
        after = site.clock()
        difference = seconds + micros / 1e6 - (before + after) / 2
        # Nobody can tell more finely than the answer took.
        if abs(difference) <= _NOTABLE + (after - before):
            return ok(f"within {_NOTABLE:g} s of the clock here")
        side = "ahead of" if difference > 0 else "behind"
        return Diagnosis(
            "problem" if abs(difference) > _GROSS else "warning",
            f"Redis' clock is {abs(difference):.1f} s {side} the clock here",
            "let both machines follow NTP; specs take effect by the clock of who applies them",
        )
