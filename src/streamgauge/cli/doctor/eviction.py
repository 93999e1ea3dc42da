"""Whether Redis keeps what it is given."""

from __future__ import annotations

from streamgauge.cli.doctor.base import Check, Diagnosis, ok, skipped
from streamgauge.cli.doctor.site import Site

_FULL = 0.8


class Eviction(Check, name="eviction"):
    """``maxmemory-policy`` must be ``noeviction``: an evicted checkpoint is a cold start."""

    place = 130
    needs = ("redis",)

    def look(self, site: Site) -> Diagnosis:
        memory = site.info("memory")
        policy = memory.get("maxmemory_policy")
        if policy is None:
            return skipped("can't tell maxmemory-policy: this Redis does not say (as fakeredis)")
        limit, used = int(memory.get("maxmemory", 0)), int(memory.get("used_memory", 0))
        if policy != "noeviction":
            return Diagnosis(
                "problem" if limit else "warning",
                f"maxmemory-policy is {policy}: "
                + (
                    "checkpoints are thrown away"
                    if limit
                    else "with a maxmemory set, checkpoints would be thrown away"
                ),
                "maxmemory-policy noeviction in redis.conf, and now:"
                " redis-cli CONFIG SET maxmemory-policy noeviction",
            )
        if limit and used > _FULL * limit:
            return Diagnosis(
                "warning",
                f"noeviction, and {used / limit:.0%} of maxmemory is used: at 100 % monitors stop",
                "raise maxmemory",
            )
        return ok("noeviction" + (f", {used / limit:.0%} of maxmemory used" if limit else ""))
