"""Models that keep learning: who answers, who learns, who is better, and what is held back."""

from __future__ import annotations

from grafana_foundation_sdk.models.dashboard import Dashboard

from deploy.grafana import links, marks, variables
from deploy.grafana.page import page
from deploy.grafana.panels import Panel, graph, number
from deploy.grafana.queries import RATE, named, or_zero

MODEL = 'model="$model"'
LOSS = "streamgauge_learner_loss"
EXAMPLES = "streamgauge_learner_examples_total"
CHAMPION = "streamgauge_learner_champion"


def dashboard() -> Dashboard:
    """Learner."""
    return page(
        links.LEARNER,
        "Learner",
        "Models that keep learning: who answers, who learns, who is better.",
        variables=[variables.model("streamgauge_learner_pending_examples")],
        annotations=[
            marks.alarms(MODEL),
            marks.deploys(MODEL),
            marks.promotions(MODEL),
        ],
        rows=[
            ("Is it all right?", _well()),
            ("Who is better?", _contest()),
            ("What is learned?", _learning()),
            ("How does the process run?", _process()),
        ],
    )


def _well() -> list[Panel]:
    learned = f'{EXAMPLES}{{{MODEL}, outcome="learned"}}'
    return [
        number(
            "Loss of who answers",
            "Mean loss of the champion's answers; of the published ones until a candidate was"
            " promoted. Error ratio, or absolute error.",
            f"max({LOSS}{{{MODEL}}} and on (model, candidate) {CHAMPION}{{{MODEL}}} == 1)"
            f' or max({LOSS}{{{MODEL}, candidate="published"}})',
            unit="short",
            decimals=4,
        ),
        number(
            "Best candidate's loss",
            "Mean loss of the candidate that answers best, told before it knew the truth.",
            f'min({LOSS}{{{MODEL}, candidate!="published"}})',
            unit="short",
            decimals=4,
        ),
        number(
            "Champion is a candidate",
            "1 where a candidate answers, 0 while the published answers are champion.",
            f"max({CHAMPION}{{{MODEL}}})",
            unit="short",
        ),
        number(
            "Learned",
            "Examples that candidates learned each second.",
            f"sum(rate({learned}{RATE}))",
            unit="eps",
        ),
        number(
            "Held back",
            "Examples that wait for a data-quality alarm to end.",
            f"sum(streamgauge_learner_held_examples{{{MODEL}}})",
            unit="short",
            turns={1: "orange"},
        ),
        number(
            "Models refused",
            "Stored models that the learner refused in the last hour: their signature, their"
            " content or their self-test was wrong.",
            or_zero(f"sum(increase(streamgauge_registry_rejected_total{{{MODEL}}}[1h]))"),
            unit="short",
            turns={1: "red"},
        ),
    ]


def _contest() -> list[Panel]:
    return [
        graph(
            "Loss",
            "Mean loss of each candidate's answers before it knew the truth, beside the published"
            " ones.",
            (f"max by (candidate) ({LOSS}{{{MODEL}}})", "{{candidate}}"),
            unit="short",
        ),
        graph(
            "Better than a plain linear model",
            "How much less the published answers lose than a logistic or linear regression that"
            " learns beside, on the same predictions. Below 0 the plainest is better.",
            (f"avg(streamgauge_learner_plain_gap{{{MODEL}}})", "gap"),
            unit="short",
        ),
        graph(
            "Evidence",
            "E-value that a candidate answers better than the champion, on a logarithmic axis. It"
            " may be looked at all the time; a promotion needs more than 1 ÷ α.",
            (
                f"max by (candidate) (streamgauge_learner_contest_e_value{{{MODEL}}})",
                "{{candidate}}",
            ),
            unit="short",
            log=True,
        ),
        graph(
            "Who answers",
            "1 for the candidate that is champion; all 0 while the published answers are.",
            (f"max by (candidate) ({CHAMPION}{{{MODEL}}})", "{{candidate}}"),
            unit="short",
            most=1,
        ),
    ]


def _learning() -> list[Panel]:
    return [
        graph(
            "Examples by what became of them",
            "Each second: learned, or why not.",
            (
                f"sum by (candidate, outcome) (rate({EXAMPLES}{{{MODEL}}}{RATE}))",
                "{{candidate}} {{outcome}}",
            ),
            unit="eps",
            stacked=True,
        ),
        graph(
            "Held back",
            "Examples that wait for a data-quality alarm to end, by candidate.",
            (
                f"max by (candidate) (streamgauge_learner_held_examples{{{MODEL}}})",
                "{{candidate}}",
            ),
            unit="short",
        ),
        graph(
            "Waiting for labels",
            "Predictions that the learner keeps until their label comes.",
            (f"sum(streamgauge_learner_pending_examples{{{MODEL}}})", "waiting"),
            unit="short",
        ),
    ]


def _process() -> list[Panel]:
    duration = "streamgauge_processing_duration_seconds"
    learner = 'and on (job, instance) streamgauge_build_info{service="learner"}'
    stages = f"sum by (le, stage) (rate({duration}_bucket{RATE}) {learner})"
    return [
        graph(
            "Lag",
            "Records of each topic that the learner has not yet taken.",
            (
                f"sum by (topic) ({named('streamgauge_consumer_lag_records', services='learner')})",
                "{{topic}}",
            ),
            unit="short",
        ),
        graph(
            "Duration of steps, p95",
            "Time of one step of the learner: taking records, making them durable.",
            (f"histogram_quantile(0.95, {stages})", "{{stage}}"),
            unit="s",
        ),
        graph(
            "Bytes of a checkpoint, p95",
            "Size of one checkpoint, the learners' models in it.",
            (
                "histogram_quantile(0.95, sum by (le)"
                f" (rate(streamgauge_checkpoint_bytes_bucket{RATE}) {learner}))",
                "p95",
            ),
            unit="bytes",
        ),
    ]
