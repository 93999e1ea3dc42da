"""Whether the models' versions are versions, and not the names of pods."""

from __future__ import annotations

import re

from streamgauge.cli.doctor.base import Check, Diagnosis, ok, skipped, some
from streamgauge.cli.doctor.site import Site

#: A deployment's pod, a stateful set's container id, or a hash that each build makes anew.
_POD = re.compile(r".+-[0-9a-f]{8,10}-[0-9bcdfghjklmnpqrstvwxz]{5}")
_HASH = re.compile(r"(?:.*[-_.])?(?=.*\d)[0-9a-f]{7,64}")
#: More versions at once than canaries and shadows make.
_MANY = 8


class Versions(Check, name="versions"):
    """Each version is judged by itself, so a version for each pod has no events to be judged by."""

    place = 230
    needs = ("redis",)

    def look(self, site: Site) -> Diagnosis:
        found: dict[str, set[str]] = {}
        for view in site.snapshot.models:
            found.setdefault(view.model, set()).update(each.version for each in view.series)
        if not found:
            return skipped("no model was seen yet")
        pods = [
            f"{model} ({min(odd)})"
            for model, versions in sorted(found.items())
            if (odd := {each for each in versions if _POD.fullmatch(each)})
        ]
        if pods:
            return Diagnosis(
                "problem",
                f"versions look like names of pods: {some(pods)}",
                "give the model's own version to the publisher, not the host's name",
            )
        many = [
            f"{model} has {len(versions)}"
            + (", most of them hashes" if _mostly_hashes(versions) else "")
            for model, versions in sorted(found.items())
            if len(versions) > _MANY
        ]
        if many:
            return Diagnosis(
                "warning",
                f"many versions at once, each judged by itself: {some(many)}",
                "a version should change with the model, not with each build of its service",
            )
        total = sum(len(versions) for versions in found.values())
        return ok(f"{total} of {len(found)} models")


def _mostly_hashes(versions: set[str]) -> bool:
    return sum(bool(_HASH.fullmatch(each)) for each in versions) > len(versions) / 2
