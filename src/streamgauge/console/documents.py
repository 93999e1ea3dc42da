"""All screens as JSON, each built once for a reading, whoever and how many look at it."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from dataclasses import dataclass
from secrets import token_hex

import orjson

from streamgauge.clock import Clock, system_clock
from streamgauge.console.alarms_document import alarms_document
from streamgauge.console.feature_document import feature_document
from streamgauge.console.fleet_document import fleet_document
from streamgauge.console.history import History
from streamgauge.console.model_document import model_document
from streamgauge.console.pipeline_document import pipeline_document
from streamgauge.console.scene import Document, Place, Scene, look
from streamgauge.console.start_document import start_document
from streamgauge.exposition.activity import Activity
from streamgauge.exposition.source import Reading
from streamgauge.exposition.summaries import Summaries

#: Different screens of one reading that are kept. More is nobody who looks.
MOST_KEPT = 500

SCREENS: dict[str, Callable[[Scene], Document]] = {
    "fleet": fleet_document,
    "alarms": alarms_document,
    "pipeline": pipeline_document,
    "start": start_document,
}


@dataclass(frozen=True, slots=True)
class Screen:
    """Which screen is looked at, and the keys of model and feature where it is of one."""

    name: str
    model: str = ""
    feature: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """A document as JSON. ``number`` grows with each reading; ``known`` is False for a name gone.

    ``number`` begins with letters that are this process's own: what another one sent is not ours.
    """

    body: bytes
    number: str
    known: bool = True


class Documents:
    """Takes readings, answers screens. Safe to ask from any thread."""

    def __init__(
        self,
        *,
        bootstrap_servers: str,
        topic_prefix: str = "streamgauge",
        stale_seconds: float = 30.0,
        activity: Activity | None = None,
        summaries: Summaries | None = None,
        history: History | None = None,
        clock: Clock = system_clock,
    ) -> None:
        self._place = Place(bootstrap_servers, topic_prefix)
        self._stale = stale_seconds
        self._activity = activity or Activity()
        self._summaries = summaries or Summaries()
        self.history = history or History()
        self._clock = clock
        self._process = token_hex(4)
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._scene = self._look(Reading())
        self._kept: dict[Screen, Answer] = {}
        self._number = f"{self._process}-0"

    def take(self, reading: Reading) -> None:
        """Look at a new reading, and keep its points. Called for each of them, in order."""
        scene = self._look(reading)
        if reading.up and reading.snapshot is not None:
            self.history.note(scene.points(), at=reading.snapshot.read_at, records=scene.records())
        with self._lock:
            self._scene = scene
            self._kept = {}
            self._number = f"{self._process}-{next(self._numbers)}"

    @property
    def number(self) -> str:
        """That of the newest reading."""
        return self._number

    def answer(self, screen: Screen) -> Answer:
        """A screen as of the newest reading. Raises ``KeyError`` for one that does not exist."""
        with self._lock:
            known = self._kept.get(screen)
            if known is None:
                known = self._make(screen)
                if len(self._kept) >= MOST_KEPT:
                    self._kept.clear()
                self._kept[screen] = known
            return known

    def _make(self, screen: Screen) -> Answer:
        scene = self._scene
        document: Document | None
        if screen.name == "model":
            document = model_document(scene, screen.model)
        elif screen.name == "feature":
            document = feature_document(scene, screen.model, screen.feature)
        else:
            document = SCREENS[screen.name](scene)
        known = document is not None
        if document is None:
            document = {**scene.head(screen.name), "gone": True}
        document["number"] = self._number
        return Answer(orjson.dumps(document), self._number, known)

    def _look(self, reading: Reading) -> Scene:
        return look(
            reading,
            activity=self._activity,
            summaries=self._summaries,
            history=self.history,
            place=self._place,
            now=self._clock(),
            stale_seconds=self._stale,
        )
