from __future__ import annotations

from html.parser import HTMLParser

import pytest

from streamgauge.exposition.activity import Activity
from streamgauge.exposition.page import StatusPage
from streamgauge.exposition.source import Reading
from streamgauge.state.processes import ProcessView
from tests.exposition.builders import (
    HOSTILE,
    NOW,
    alarm,
    criterion,
    feature,
    model,
    part,
    partition,
    reading,
    series,
)

MONITOR = ProcessView(service="monitor", instance="m", started_at=1.0)


class Tags(HTMLParser):
    """Collects tags, attributes and text; the parser that a browser's would agree with."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.text += data


def shown(now: Reading, *, at: float = NOW) -> str:
    page = StatusPage(lambda: now, bootstrap_servers="kafka.example:9092", clock=lambda: at)
    return page().body.decode()


def test_the_worst_model_comes_first_with_its_feature_and_alarm() -> None:
    firing = model(
        "fraud",
        alarms=[alarm()],
        series=[series("3.2.0", features=[feature("amount", severity=8.3, state="firing")])],
    )
    html = shown(reading([model("calm"), firing], [partition()], processes=(MONITOR,)))
    text = Tags(html).text
    assert text.index("fraud") < text.index("calm")
    assert "amount 8.3 × threshold" in text
    assert "fraud: amount is 100 times as large as before" in text
    assert "3.2.0" in text
    assert "12.1 ms" in text
    assert "Get started" not in text


@pytest.mark.parametrize(
    ("views", "said"),
    [
        ([model(series=[series(state="warming", reason="620 of 1,000")])], "warming620 of 1,000"),
        ([model(series=[series(state="too_few", reason="31 of 500")])], "too few31 of 500"),
        ([model(last_event=NOW - 75, series=[series(window_end=None)])], "no datafor 75 s"),
        ([model(series=[])], "no datano prediction yet"),
    ],
)
def test_what_is_not_known_does_not_look_healthy(views: list[object], said: str) -> None:
    text = Tags(shown(reading(views, [partition()], processes=(MONITOR,)))).text  # type: ignore[arg-type]
    assert said in text
    assert "●ok" not in text


def test_a_model_that_falls_silent_is_said_to_be_and_comes_back() -> None:
    # Given a model that sends
    now = {"at": NOW, "reading": reading([model()], [partition()], processes=(MONITOR,))}
    page = StatusPage(
        lambda: now["reading"],  # type: ignore[arg-type,return-value]
        bootstrap_servers="b",
        clock=lambda: now["at"],  # type: ignore[arg-type,return-value]
    )

    def look(ok: int, at: float) -> str:
        views = [model(series=[series(ok=ok)])]
        now["at"] = at
        now["reading"] = reading(views, [partition()], processes=(MONITOR,), read_at=at)
        return Tags(page().body.decode()).text

    assert "●ok" in look(100, NOW)
    assert "●ok" in look(200, NOW + 5)
    # When it sends no more, Then the seconds count from the last growth
    assert "no datafor 75 s" in look(200, NOW + 80)
    # and what comes, heals
    assert "●ok" in look(201, NOW + 81)


def test_what_is_counted_and_not_judged_is_said() -> None:
    crowded = model("crowded", unmonitored=1234, features_dropped=50)
    text = Tags(shown(reading([model(), crowded], [partition()], processes=(MONITOR,)))).text
    begin = text.index("Counted, not judged")
    assert "crowded1,234 predictions, because" in text[begin:]
    assert "; 50 feature values, because" in text[begin:]
    assert "fraud" not in text[begin:]
    # and where there is nothing to say, nothing is
    assert "not judged" not in shown(reading([model()], [partition()], processes=(MONITOR,)))


def test_without_models_it_tells_how_to_begin_with_the_real_address() -> None:
    html = shown(reading([], [partition()], processes=(MONITOR,)))
    text = Tags(html).text
    assert 'Publisher("kafka.example:9092", model="my-model", version="1")' in text
    assert "kcat -P -b kafka.example:9092 -t streamgauge.predictions" in text


@pytest.mark.parametrize(
    ("now", "at", "said"),
    [
        (Reading(), NOW, "Redis does not answer; nothing was read yet."),
        (
            Reading(reading([model()]).snapshot, up=False, error="TimeoutError"),
            NOW + 75,
            "Redis does not answer (TimeoutError); this is 75 s old.",
        ),
    ],
    ids=["never", "gone"],
)
def test_what_is_broken_is_said_first(now: Reading, at: float, said: str) -> None:
    text = Tags(shown(now, at=at)).text
    assert said in text
    assert "●ok" not in text


def test_a_monitor_that_stopped_is_missed_but_an_idle_one_is_not() -> None:
    idle = reading([model()], [partition()], processes=(MONITOR,))
    gone = reading([model()], [partition()])
    activity = Activity()
    page = StatusPage(
        lambda: gone, bootstrap_servers="b", activity=activity, clock=lambda: NOW + 20
    )
    # Given a monitor that never reported itself, Then nothing can be said
    assert "No monitor" not in page().body.decode()
    # When one did and no longer does, Then it is missed, and its verdicts are not of now
    assert idle.snapshot is not None
    activity.note(idle.snapshot)
    text = Tags(page().body.decode()).text
    assert "No monitor runs any more" in text
    assert "no monitorwhat is shown is from before it stopped" in text


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_names_stay_text(name: str) -> None:
    plain = Tags(shown(reading([model("plain", alarms=[alarm()], unmonitored=1)], [partition()])))
    view = model(
        name,
        series=[
            series(
                name,
                reason=name,
                features=[feature(name)],
                slices=[part(name, segment=name, severity=2.0, feature=name)],
            )
        ],
        alarms=[alarm(summary=name, kind=name, severity=name)],
        unmonitored=1,
        silent={name: NOW},
        criteria=[criterion(name, "FAIL", expr=name), criterion(f"{name}2", "UNDECIDED")],
    )
    html = shown(reading([view], [partition(dead={name: 1}, counts={name: 1})]))
    tags = Tags(html)
    assert tags.tags <= plain.tags
    assert tags.attributes <= plain.attributes
    assert len(html) < 40_000
    assert not {"\u202e", "\x00", "\x1b"} & set(html)


def test_the_policy_allows_the_style_and_nothing_else() -> None:
    page = StatusPage(lambda: Reading(), bootstrap_servers="b", clock=lambda: NOW)()
    header = page.headers["Content-Security-Policy"]
    assert header.startswith("default-src 'none'; style-src 'sha256-")
    html = page.body.decode()
    assert "<script" not in html
    assert " style=" not in html
    assert "http://" not in html.replace("http-equiv", "")
    assert "prefers-color-scheme:dark" in html


def test_ten_thousand_models_stay_one_page() -> None:
    many = [model(f"m{i}") for i in range(2_000)]
    html = shown(reading(many, [partition()], processes=(MONITOR,)))
    assert "and 1800 quieter models" in html
    assert len(html) < 400_000


def test_names_that_a_producer_makes_up_stand_behind_the_models_that_somebody_runs() -> None:
    # Given a model that somebody runs, silent by now, and names with one event each
    real = model("zebra", series=[series("1", counts={"ok": 5_000})])
    made_up = [model(f"m{i}", series=[series("1", counts={"ok": 1})]) for i in range(50)]
    # When nothing has come for hours
    text = Tags(shown(reading([real, *made_up], [partition()]), at=NOW + 20_000)).text
    # Then the real one is the first
    assert text.index("zebra") < text.index("m0")


def test_silence_claims_and_the_worst_slice_are_said_and_what_is_well_is_not() -> None:
    # Given a model with a silent step, claims that do not hold, and a slice that moved
    view = model(
        "fraud",
        silent={"enrich": NOW - 600},
        criteria=[
            criterion("fast", "FAIL", value=140.0),
            criterion("right", "UNDECIDED"),
            criterion("whole", "PASS"),
        ],
        series=[
            series(
                slices=[
                    part("NO", severity=0.4),
                    part("SE", severity=3.25, feature="amount"),
                ]
            )
        ],
    )
    calm = model("calm", criteria=[criterion()], series=[series(slices=[part(severity=0.9)])])
    text = Tags(shown(reading([view, calm], [partition()], processes=(MONITOR,)))).text
    # Then each is one line
    begin = text.index("Silence, criteria, slices")
    told = text[begin : text.index("Pipeline")]
    assert "no predictions of step enrich since 2027-01-15 07:50:00 UTC, for 10 min" in told
    assert "FAIL: fast (p95_latency_ms <= 120, it is 140)" in told
    assert "1 of 3 criteria UNDECIDED: right" in told
    assert "worst slice: country = SE, 3.25 × threshold, by amount, 600 predictions" in told
    # and of a model that is well, none
    assert "calm" not in told
    quiet = shown(reading([calm], [partition()], processes=(MONITOR,)))
    assert "Silence, criteria" not in quiet


def test_a_claim_that_held_before_the_silence_holds_no_longer() -> None:
    view = model(criteria=[criterion("fast", "PASS")], series=[series(slices=[part(severity=9)])])
    text = Tags(shown(reading([view], [partition()], processes=(MONITOR,)), at=NOW + 600)).text
    assert "1 of 1 criteria UNDECIDED: fast" in text
    assert "worst slice" not in text


def test_where_nothing_is_allowed_the_factor_is_not_told() -> None:
    broken = feature("rule limit-holds", severity=1.1e8, state="firing")
    text = Tags(shown(reading([model(series=[series(features=[broken])])], [partition()]))).text
    assert "rule limit-holds > 1,000 × threshold" in text
