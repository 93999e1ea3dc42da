"""The webhook: its signature, its two bodies, and what it refuses at the start."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import datetime
from typing import Any

import pytest

from streamgauge.plugins import PluginError
from streamgauge_client import AlarmEvent
from streamgauge_client.webhooks import verify
from tests.alarms.sinks.builders import NOW, SECRET, FakePost, example, made


async def posted(alarm: AlarmEvent, **options: Any) -> tuple[bytes, dict[str, str]]:
    post = FakePost()
    await made("webhook", post, **options).send(alarm)
    return post.calls[0]


async def test_the_signature_is_the_hmac_of_stamp_and_body() -> None:
    body, headers = await posted(example("full"), secret=SECRET)
    digest = hmac.new(SECRET.encode(), b"1790000100." + body, hashlib.sha256).hexdigest()
    assert headers["X-Streamgauge-Signature"] == f"t=1790000100,v1={digest}"
    # And a receiver with the client's function takes it.
    verify(body, headers["X-Streamgauge-Signature"], SECRET, now=NOW + 200)


async def test_an_attempt_later_is_signed_anew() -> None:
    # Given an outage that is longer than receivers tolerate
    times = iter([NOW, NOW + 3000])
    post = FakePost()
    sink = made("webhook", post, secret=SECRET, clock=lambda: next(times))
    # When the same alarm is sent before and after
    await sink.send(example("full"))
    await sink.send(example("full"))
    # Then the second is as good as the first: same body, same key, a stamp of its own
    (first, old), (second, new) = post.calls
    assert first == second and old["Idempotency-Key"] == new["Idempotency-Key"]
    verify(second, new["X-Streamgauge-Signature"], SECRET, now=NOW + 3001)


async def test_without_a_secret_there_is_no_signature() -> None:
    _, headers = await posted(example("full"))
    assert "X-Streamgauge-Signature" not in headers


async def test_the_body_is_the_event_and_a_text_for_people() -> None:
    alarm = example("full")
    body, headers = await posted(alarm)
    assert headers["Content-Type"] == "application/json"
    document = json.loads(body)
    assert document.pop("text").splitlines()[0] == f"FIRING critical: {alarm.summary}"
    assert AlarmEvent.model_validate(document) == alarm


async def test_alertmanagers_body_has_alertmanagers_fields() -> None:
    alarm = example("full")
    body, _ = await posted(alarm, format="alertmanager")
    document = json.loads(body)
    assert list(document) == [
        "version",
        "groupKey",
        "truncatedAlerts",
        "status",
        "receiver",
        "groupLabels",
        "commonLabels",
        "commonAnnotations",
        "externalURL",
        "alerts",
    ]
    assert (document["version"], document["status"]) == ("4", "firing")
    (alert,) = document["alerts"]
    assert alert["fingerprint"] == alarm.fingerprint
    assert alert["labels"] == {
        "alertname": "feature_drift",
        "model": "shuttle",
        "severity": "critical",
        "owner": "flight-ml",
        "shard": "0",
        "segment_site": "north",
        "step": "score",
    }
    assert alert["annotations"]["summary"] == alarm.summary
    assert alert["annotations"]["runbook_url"] == alarm.runbook_url
    assert alert["annotations"]["contingency"] == alarm.contingency
    assert all(isinstance(value, str) for value in alert["annotations"].values())
    assert datetime.fromisoformat(alert["startsAt"]).timestamp() == 1789999940
    assert alert["endsAt"] == "0001-01-01T00:00:00Z"


async def test_a_receiver_of_alertmanagers_can_pair_the_end_with_the_beginning() -> None:
    firing = example("full")
    resolved = firing.model_copy(
        update={"status": "resolved", "ends_at": 1790000300.0, "version": "2.0", "feature": "other"}
    )
    alerts = []
    for alarm in (firing, resolved):
        body, _ = await posted(alarm, format="alertmanager")
        alerts += json.loads(body)["alerts"]
    first, last = alerts
    assert first["labels"] == last["labels"] and first["startsAt"] == last["startsAt"]
    assert (last["status"], last["endsAt"]) == ("resolved", "2026-09-21T14:18:20Z")


@pytest.mark.parametrize("status", ["acknowledged", "silenced"])
def test_that_somebody_has_it_goes_where_there_are_words_for_it(status: str) -> None:
    taken = example("acknowledged", status=status)
    assert made("webhook").wants(taken)
    # Alertmanager's receivers would take it for firing, and page again.
    assert not made("webhook", format="alertmanager").wants(taken)
    assert made("webhook", format="alertmanager").wants(example("resolved"))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"format": "alertmanger"}, "did you mean 'alertmanager'"),
        ({"format": "xml"}, "there are: streamgauge, alertmanager"),
        ({"secret": "short"}, "5 characters; give at least 16"),
    ],
    ids=str,
)
def test_a_mistake_is_refused_at_the_start(options: dict[str, Any], said: str) -> None:
    with pytest.raises(PluginError) as caught:
        made("webhook", **options)
    assert said in str(caught.value)
    assert "short" not in str(caught.value)
