"""What a scrape says of models that learn, and what a reader makes of a learner's views."""

from __future__ import annotations

import fakeredis
import pytest

from streamgauge.exposition.learners import put_learners
from streamgauge.exposition.overflow import Overflow
from streamgauge.exposition.sheet import Sheet
from streamgauge.state.keys import model_id, view_key
from streamgauge.state.learner_views import SUFFIX, CandidateView, LearnerView, PlainView
from streamgauge.state.reader import ViewReader

VIEW = LearnerView(
    model="fraud",
    partition=0,
    champion="online",
    champion_loss=0.2,
    pending=7,
    candidates=[
        CandidateView(
            name="online",
            estimator="logistic_regression",
            learned=500,
            loss=0.05,
            refused={"frozen": 3},
            evidence={"e_value": 12.5},
        ),
        CandidateView(
            name="tree", estimator="hoeffding_tree_classifier", evidence={"e_value": None}
        ),
    ],
)


def scraped(*views: LearnerView) -> dict[tuple[str, str, str], float]:
    sheet = Sheet(Overflow(), limit=1000)
    put_learners(sheet, views)
    return {
        (sample.name, sample.labels.get("candidate", ""), sample.labels.get("outcome", "")): (
            sample.value
        )
        for family in sheet.families()
        for sample in family.samples
    }


def test_shards_of_a_model_are_one_model() -> None:
    # Given two shards, of which one has seen little and has another champion
    other = VIEW.model_copy(
        update={
            "partition": 1,
            "champion": "published",
            "champion_loss": 0.5,
            "champion_answered": 10,
            "pending": 3,
            "candidates": [
                CandidateView(
                    name="online",
                    estimator="logistic_regression",
                    learned=50,
                    loss=0.25,
                    answered=10,
                    held=4,
                    evidence={"e_value": 2.0},
                )
            ],
        }
    )
    first = VIEW.model_copy(
        update={
            "champion_answered": 30,
            "candidates": [VIEW.candidates[0].model_copy(update={"answered": 30, "held": 1})],
        }
    )
    found = scraped(first, other)
    # Then counts add up, losses are means by answers, and the champion is one of half of them
    told = {name.removeprefix("streamgauge_learner_"): v for (name, _, _), v in found.items()}
    assert told["pending_examples"] == 10.0 and told["held_examples"] == 5.0
    losses = {who: v for (name, who, _), v in found.items() if name.endswith("_loss")}
    assert losses == pytest.approx({"published": 0.275, "online": 0.1})
    learned = {how: v for (_, who, how), v in found.items() if how and who == "online"}
    assert learned == {"learned": 550.0, "frozen": 3.0}
    assert told["champion"] == 0.5 and max(found.values()) == 550.0


def test_candidates_and_the_champion_are_told_apart() -> None:
    found = scraped(VIEW)
    assert found["streamgauge_learner_loss", "published", ""] == 0.2
    assert found["streamgauge_learner_loss", "online", ""] == 0.05
    assert found["streamgauge_learner_champion", "online", ""] == 1
    assert found["streamgauge_learner_champion", "tree", ""] == 0
    assert found["streamgauge_learner_examples_total", "online", "learned"] == 500
    assert found["streamgauge_learner_examples_total", "online", "frozen"] == 3
    assert found["streamgauge_learner_contest_e_value", "online", ""] == 12.5


def test_the_gap_to_the_plain_model_is_a_mean_over_shards_by_answers() -> None:
    first, other = (
        VIEW.model_copy(update={"plain": PlainView(answered=n, loss=loss, champion_loss=0.25)})
        for n, loss in [(300, 0.5), (100, 0.25)]
    )
    found = scraped(first, other, VIEW)
    assert found["streamgauge_learner_plain_loss", "", ""] == 0.4375
    assert found["streamgauge_learner_plain_gap", "", ""] == 0.1875
    assert ("streamgauge_learner_plain_gap", "", "") not in scraped(VIEW)


def test_what_is_not_known_is_left_out() -> None:
    found = scraped(VIEW)
    assert ("streamgauge_learner_loss", "tree", "") not in found
    assert ("streamgauge_learner_contest_e_value", "tree", "") not in found


@pytest.mark.parametrize("group", ["monitor", None])
def test_a_learners_view_is_no_model_of_the_monitors(group: str | None) -> None:
    redis = fakeredis.FakeRedis()
    field = model_id("fraud") + SUFFIX
    redis.hset(view_key("learner", 0), field, VIEW.model_dump_json().encode())
    snapshot = ViewReader(redis, group=group, learners="learner").read()
    assert snapshot.learners == (VIEW,)
    assert snapshot.models == () and not snapshot.skipped
