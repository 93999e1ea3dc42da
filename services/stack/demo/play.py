"""One performance of the demo: the traffic, what watches it, and what came of it."""

from __future__ import annotations

import contextlib
import http.client
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType

import orjson
import redis

from services.stack.demo import figures, prediction_service, quiet
from services.stack.demo.client import Client
from services.stack.demo.comparison import Comparison
from services.stack.demo.data import TRAINING, Reading, quantile
from services.stack.demo.decisions import DecisionWatch
from services.stack.demo.ledger import Ledger, promotion_sentence, sentence, truth_sentence
from services.stack.demo.quiet import QuietModel
from services.stack.demo.recipe import UsualRecipe
from services.stack.demo.screen import Screen
from services.stack.demo.story import CONCEPT_QUANTILE, CONCEPT_SENSOR, SENTENCES, Story
from services.stack.demo.watch import AlarmWatch
from streamgauge.access.kafka import librdkafka_security
from streamgauge.access.redis import redis_client
from streamgauge.settings import KafkaSecurity, RedisSettings
from streamgauge.state.reader import Snapshot, ViewReader
from streamgauge_client import Publisher
from streamgauge_client.topics import PREDICTIONS

MODELS = (prediction_service.MODEL, quiet.MODEL)
REFRESH_SECONDS = 0.5
#: How long the last events may take from the publishers into the views.
DRAIN_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Place:
    """Where the demo plays."""

    servers: str
    redis: RedisSettings
    security: KafkaSecurity
    group: str
    topic_prefix: str
    service_port: int


def replay(place: Place, story: Story, readings: Sequence[Reading]) -> Client:
    """The client of the prediction service there, which replays what it was not trained on."""
    training, rest = readings[:TRAINING], readings[TRAINING:]
    return Client(
        place.service_port,
        rest,
        story,
        labels=Publisher(
            place.servers,
            model=MODELS[0],
            version=prediction_service.VERSION,
            service="demo-truth",
            topic_prefix=place.topic_prefix,
            kafka=librdkafka_security(place.security),
        ),
        concept_value=quantile(training, CONCEPT_SENSOR, CONCEPT_QUANTILE),
    )


class Play:
    """The traffic and its watchers, as a context manager: started inside, stopped after."""

    def __init__(self, place: Place, story: Story, readings: Sequence[Reading]) -> None:
        self.story = story
        self.ledger = Ledger(model=MODELS[0], quiet_model=MODELS[1])
        self._place = place
        self._redis = redis_client(place.redis)
        self._reader = ViewReader(self._redis, group=place.group)
        security = librdkafka_security(place.security)
        training = readings[:TRAINING]
        names = training[0].features
        self._comparison = Comparison(
            place.servers,
            PREDICTIONS.under(place.topic_prefix),
            {
                MODELS[0]: UsualRecipe(
                    reference={name: [r.features[name] for r in training] for name in names}
                ),
                MODELS[1]: UsualRecipe(),
            },
            security=security,
        )
        self._alarms = AlarmWatch(place.servers, topic_prefix=place.topic_prefix, security=security)
        self._client = replay(place, story, readings)
        self._decisions = DecisionWatch(
            place.servers, topic_prefix=place.topic_prefix, security=security
        )
        self._quiet = QuietModel(
            place.servers, story, topic_prefix=place.topic_prefix, security=security
        )
        self._phase = ""
        self._before = (0, 0)
        self._started = 0.0
        self.usual_before_fault: int | None = None
        #: Whether every event published has been counted or is a dead letter; known at the end.
        self.complete = False

    def __enter__(self) -> Play:
        self._before = self._counts(self._reader.read())
        self._comparison.start()
        self._alarms.start()
        self._started = time.monotonic()
        self._decisions.start()
        self._client.start()
        self._quiet.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for part in (
            self._client,
            self._quiet,
            self._alarms,
            self._decisions,
            self._comparison,
        ):
            part.stop()
        self._redis.close()

    @property
    def elapsed(self) -> float:
        """Seconds since the first event."""
        return time.monotonic() - self._started

    def run(self, screen: Screen, *, until: float | None) -> None:
        """Show what happens, for ``until`` seconds or until Ctrl-C."""
        while until is None or self.elapsed < until:
            self._check()
            self._tell(screen)
            self._show(screen)
            time.sleep(REFRESH_SECONDS)

    def finish(self, say: Callable[[str], None]) -> str:
        """Stop the traffic and wait until all of it is counted; the answer is the last line."""
        self._client.stop()
        self._quiet.stop()
        published = self._delivered_by_service() + self._quiet.delivered()
        deadline = time.monotonic() + DRAIN_SECONDS
        counted, dead = self._since_start()
        while counted + dead < published and time.monotonic() < deadline:
            time.sleep(0.1)
            counted, dead = self._since_start()
        self.complete = counted + dead == published
        self._take_alarms(say)
        usual = sum(self._comparison.alarms.values())
        before = usual if self.usual_before_fault is None else self.usual_before_fault
        say(
            f"the classifier was right in {self._client.right / max(self._client.calls, 1):.1%} of"
            f" {self._client.calls:,} predictions; the usual recipe would have sent {usual} alarms,"
            f" {before} of them before anything had happened"
        )
        ledger = self.ledger
        seconds = ledger.seconds_to_alarm
        return (
            f"demo: published={published} counted={counted} dead={dead}"
            f" alarms_before_fault={ledger.alarms_before_fault} fired={ledger.fired}"
            f" resolved={ledger.resolved} quiet_model_alarms={ledger.quiet_model_alarms}"
            f" naive_alarms={usual} first_feature={ledger.first_feature or 'none'}"
            f" seconds_to_alarm={_seconds(seconds)}"
            f" concept_alarm_s={_seconds(ledger.concept_alarm_s)}"
            f" promoted_s={_seconds(ledger.promoted_s)}"
        )

    def _check(self) -> None:
        parts = (self._client, self._quiet, self._alarms, self._decisions, self._comparison)
        for part in parts:
            if part.failure is not None:
                raise RuntimeError(f"{part.name} failed: {part.failure}") from part.failure

    def _tell(self, screen: Screen) -> None:
        phase = self.story.phase(self.elapsed)
        if phase != self._phase:
            if phase == "unit":
                self.usual_before_fault = sum(self._comparison.alarms.values())
            self._phase = phase
            screen.say(f"● {self.elapsed:5.1f} s  {SENTENCES[phase]}")
        self._take_alarms(lambda text: screen.say(f"  {self.elapsed:5.1f} s  {text}"))

    def _take_alarms(self, say: Callable[[str], None]) -> None:
        for alarm, arrived in self._alarms.new():
            if alarm.model in MODELS:
                self.ledger.enter(
                    alarm,
                    arrived=arrived,
                    fault_at=self._client.fault_at,
                    concept_at=self._client.concept_at,
                )
                say(sentence(alarm))
                if alarm.kind == "concept_drift" and alarm.status == "firing":
                    say(truth_sentence(alarm, inputs_fine=self.ledger.inputs_fine))
        for decision, arrived in self._decisions.new():
            if decision.model == MODELS[0] and decision.action == "promoted":
                self.ledger.promoted(arrived, concept_at=self._client.concept_at)
                say(promotion_sentence(decision))

    def _show(self, screen: Screen) -> None:
        # A moment without Redis must not end the demo; the stack says what is wrong with it.
        with contextlib.suppress(redis.RedisError):
            screen.show(
                figures.rows(MODELS, self._reader.read()),
                self._comparison.alarms,
                title=f"{self.elapsed:5.0f} s  {SENTENCES[self.story.phase(self.elapsed)]}",
            )

    def _counts(self, snapshot: Snapshot) -> tuple[int, int]:
        return figures.counted(MODELS, snapshot), figures.dead(snapshot)

    def _since_start(self) -> tuple[int, int]:
        counted, dead = self._counts(self._reader.read())
        return counted - self._before[0], dead - self._before[1]

    def _delivered_by_service(self) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self._place.service_port, timeout=10)
        try:
            connection.request("GET", "/stats")
            stats = orjson.loads(connection.getresponse().read())
            return int(stats["delivered"] - stats["heartbeats"])
        finally:
            connection.close()


def _seconds(value: float | None) -> str:
    return "none" if value is None else f"{value:.1f}"
