"""Whether Redis writes down what it is given."""

from __future__ import annotations

from streamgauge.cli.doctor.base import Check, Diagnosis, ok, skipped
from streamgauge.cli.doctor.site import Site


class Durability(Check, name="durability"):
    """The append-only file must be on; ``appendfsync everysec`` or ``always``.

    With ``everysec`` a crash of the machine takes the last second, which is read again from Kafka.
    """

    place = 140
    needs = ("redis",)

    def look(self, site: Site) -> Diagnosis:
        persistence = site.info("persistence")
        enabled = persistence.get("aof_enabled")
        if enabled is None:
            return skipped("can't tell whether AOF is on: this Redis does not say (as fakeredis)")
        if not int(enabled):
            return Diagnosis(
                "problem",
                "AOF is off: when Redis restarts, all state is gone but for snapshots, minutes old",
                "appendonly yes in redis.conf, and now: redis-cli CONFIG SET appendonly yes",
            )
        if str(persistence.get("aof_last_write_status", "ok")) != "ok":
            return Diagnosis(
                "problem", "Redis can't write its AOF", "look at its log; is the disk full?"
            )
        fsync = self._fsync(site)
        if fsync == "no":
            return Diagnosis(
                "warning",
                "AOF is on with appendfsync no: a crash of the machine takes up to half a minute",
                "appendfsync everysec in redis.conf",
            )
        return ok(f"AOF is on, appendfsync {fsync or 'can not be told (CONFIG is not allowed)'}")

    def _fsync(self, site: Site) -> str:
        from redis.exceptions import ResponseError

        try:
            answer = site.redis.config_get("appendfsync")
        except ResponseError:
            return ""
        plain = {str(_text(key)): _text(value) for key, value in answer.items()}
        return plain.get("appendfsync", "")


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
