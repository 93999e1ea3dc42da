"""Which alarms somebody wants: by model, kind, status and severity, and by a function."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from streamgauge_client.events import ALARM_KINDS, AlarmEvent
from streamgauge_client.throttle import Throttle

logger = logging.getLogger(__name__)

#: One, or several of which any will do.
OneOrSeveral = str | Collection[str] | None
_RANKS = {"info": 0, "warning": 1, "critical": 2}
STATUSES = ("firing", "acknowledged", "silenced", "resolved")
#: What an alarm itself does, and so the default: who pages at whatever comes must not page at
#: somebody's word that they have it.
EDGES = frozenset({"firing", "resolved"})


@dataclass(frozen=True, slots=True)
class AlarmFilter:
    """Conditions that an alarm has to meet, all of them. None is no condition."""

    models: frozenset[str] | None = None
    kinds: frozenset[str] | None = None
    statuses: frozenset[str] = EDGES
    least: int = 0
    where: Callable[[AlarmEvent], object] | None = None
    _warning: Throttle = field(default_factory=Throttle, compare=False, repr=False)

    @classmethod
    def of(
        cls,
        *,
        model: OneOrSeveral = None,
        kind: OneOrSeveral = None,
        severity: str | None = None,
        status: OneOrSeveral = None,
        where: Callable[[AlarmEvent], object] | None = None,
    ) -> AlarmFilter:
        """Raises ``ValueError`` for a condition that no alarm can meet."""
        if severity is not None and severity not in _RANKS:
            raise ValueError(f"severity={severity!r} is unknown; give one of {', '.join(_RANKS)}")
        statuses = _names("status", status) or EDGES
        for one in statuses:
            if one not in STATUSES:
                raise ValueError(f"status={one!r} is unknown; give one of {', '.join(STATUSES)}")
        kinds = _names("kind", kind)
        _warn_of_unknown(kinds)
        if where is not None and not callable(where):
            raise ValueError(f"where is a {type(where).__name__}; give a function of an alarm")
        return cls(
            _names("model", model),
            kinds,
            statuses,
            _RANKS[severity] if severity is not None else 0,
            where,
        )

    def wants(self, alarm: AlarmEvent) -> bool:
        return (
            (self.models is None or alarm.model in self.models)
            and (self.kinds is None or alarm.kind in self.kinds)
            and alarm.status in self.statuses
            and _RANKS[alarm.severity] >= self.least
            and (self.where is None or self._chosen(alarm))
        )

    def _chosen(self, alarm: AlarmEvent) -> bool:
        assert self.where is not None
        try:
            return bool(self.where(alarm))
        except Exception:
            # One alarm too many is better than one that nobody hears of.
            if self._warning.ready():
                logger.warning(
                    "where raised for alarm %s, which is given", alarm.alarm_id, exc_info=True
                )
            return True


def _names(name: str, given: OneOrSeveral) -> frozenset[str] | None:
    if given is None:
        return None
    names = [given] if isinstance(given, str) else given
    if not isinstance(names, Collection) or not names or not all(isinstance(n, str) for n in names):
        raise ValueError(f"{name}={given!r} is no name and no list of names; leave it out for all")
    return frozenset(names)


def _warn_of_unknown(kinds: frozenset[str] | None) -> None:
    """A kind of a later version is no mistake, so it is not refused."""
    from difflib import get_close_matches  # here: for who mistypes alone

    for kind in sorted((kinds or frozenset()) - set(ALARM_KINDS)):
        close = get_close_matches(kind, ALARM_KINDS, 1)
        hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(ALARM_KINDS)}"
        logger.warning("kind=%r is unknown to this version; %s", kind, hint)
