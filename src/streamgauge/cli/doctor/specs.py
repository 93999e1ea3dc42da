"""Whether the stored specs can be read, and their profiles are there."""

from __future__ import annotations

from typing import Any

import orjson

from streamgauge.cli.doctor.base import Check, Diagnosis, ok, some
from streamgauge.cli.doctor.site import Site


class Specs(Check, name="specs"):
    """Every stored version decodes, and the profile that the newest names is stored."""

    place = 210
    needs = ("redis",)

    def look(self, site: Site) -> Diagnosis:
        from streamgauge.specs import SpecVersion
        from streamgauge.state.keys import PREFIX
        from streamgauge.state.spec_store import SpecStore

        store = SpecStore(site.redis)
        newest: list[str] = []
        older: list[str] = []
        orphans: list[str] = []
        models = 0
        for key in sorted(set(site.redis.scan_iter(match=f"{PREFIX}:spec:*", count=1000))):
            fields: dict[bytes, bytes] = site.redis.hgetall(key)
            latest = fields.pop(b"latest", b"").decode()
            models += 1
            for number, data in fields.items():
                try:
                    version = SpecVersion.from_bytes(data)
                except ValueError:
                    name = f"version {number.decode()} of {_named(data) or key.decode()}"
                    (newest if number.decode() == latest else older).append(name)
                    continue
                reference = version.spec.reference.id
                if number.decode() != latest or reference is None:
                    continue
                if store.get_reference(version.spec.model, reference) is None:
                    orphans.append(f"{version.spec.model} ({reference})")
        if newest:
            return Diagnosis(
                "problem",
                f"can't be read, so that an older one holds: {some(newest)}",
                "apply the file again with this streamgauge, or update this one",
            )
        if orphans:
            return Diagnosis(
                "problem",
                f"models whose profile is not stored, so that nothing is compared: {some(orphans)}",
                "streamgauge reference build MODEL FILE --id ID",
            )
        if older:
            return Diagnosis(
                "warning",
                f"older versions can't be read: {some(older)}",
                "a replay would lack them",
            )
        return ok(f"{models} models have specs, and all can be read" if models else "none yet")


def _named(data: bytes) -> str:
    """The model that a version is about, as far as that can be read."""
    try:
        document: Any = orjson.loads(data)
        return str(document["spec"]["model"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return ""
