"""Whether Redis is there, and new enough."""

from __future__ import annotations

from streamgauge.cli.connections import address_of
from streamgauge.cli.doctor.base import Check, Diagnosis, ok
from streamgauge.cli.doctor.site import Site

#: What the checkpoint's script is tested on.
_OLDEST = (7, 0)


class RedisReachable(Check, name="redis"):
    """Redis answers, and its version is one that we know."""

    place = 110

    def look(self, site: Site) -> Diagnosis:
        where = address_of(site.settings.redis.url.get_secret_value())
        site.redis.ping()
        version = str(site.info("server").get("redis_version", ""))
        if not version:
            return ok(f"{where} answers; its version: can't tell (as of fakeredis)")
        numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
        if numbers < _OLDEST:
            return Diagnosis(
                "warning",
                f"{where} is Redis {version}; tested is {_OLDEST[0]}.{_OLDEST[1]} and later",
                "take a newer Redis, or Valkey",
            )
        return ok(f"{where} answers: Redis {version}")
