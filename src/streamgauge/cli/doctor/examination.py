"""All checks, one after the other, each within its time: whatever hangs, the doctor does not."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from streamgauge.cli.doctor.base import Check, Diagnosis, skipped
from streamgauge.cli.doctor.site import Site
from streamgauge.cli.failures import CommandFailed, Unreachable

T = TypeVar("T")

#: Longest time of one check. Each has shorter time-outs of its own.
BUDGET_SECONDS = 20.0


def examine(
    site: Site, checks: Iterable[type[Check]], *, budget: float = BUDGET_SECONDS
) -> Iterator[tuple[str, Diagnosis]]:
    """The name and the answer of each check, in their order, as they come."""
    away: set[str] = set()
    for check in sorted(checks, key=lambda each: (each.place, each.name)):
        lacking = [part for part in check.needs if part in away]
        if lacking:
            yield check.name, skipped(f"not checked: {lacking[0].title()} is not reachable")
            continue
        diagnosis = _within(budget, lambda check=check: check().look(site))  # type: ignore[misc]
        if diagnosis.unreachable:
            away |= {check.name, *check.needs}
        yield check.name, diagnosis


def _within(seconds: float, look: Callable[[], Diagnosis]) -> Diagnosis:
    """The answer, or a problem where there is none in time.

    The thread is left behind: a name server that does not answer can't be interrupted.
    """
    found: list[Diagnosis] = []

    def run() -> None:
        try:
            found.append(look())
        except CommandFailed as error:
            away = isinstance(error, Unreachable)
            found.append(Diagnosis("problem", error.message, error.hint, unreachable=away))
        except Exception as error:
            # Asked by its place: importing the clients would cost whoever wants the help alone.
            if type(error).__module__.startswith(("redis", "cimpl", "confluent_kafka")):
                found.append(_cut_off(error))
                return
            text = " ".join(f"{type(error).__name__}: {error}".split())
            remedy = "report what `streamgauge --debug doctor` prints"
            found.append(Diagnosis("problem", f"the check itself failed: {text}", remedy))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if found:
        return found[0]
    return Diagnosis(
        "problem",
        f"no answer within {seconds:g} s",
        "look at the network and the name server between here and there",
        unreachable=True,
    )


def _cut_off(error: Exception) -> Diagnosis:
    from redis.exceptions import NoPermissionError

    from streamgauge.access.redis_refusal import RIGHTS
    from streamgauge.access.rights import missing_right

    if (right := missing_right(error)) is not None:
        return Diagnosis("problem", f"Kafka: {right.cause}", right.remedy)
    if isinstance(error, NoPermissionError):
        return Diagnosis("problem", f"Redis: we lack a right: {error}", RIGHTS)
    text = " ".join(str(error).split()).rstrip(".") or type(error).__name__
    remedy = "look whether it has just restarted, and ask again"
    return Diagnosis("problem", f"the answer did not come: {text}", remedy, unreachable=True)
