"""``streamgauge explain``: how a model or a feature stands, and why."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streamgauge.cli.apply import now
from streamgauge.cli.connections import open_redis
from streamgauge.cli.explain_target import meant, no_such_feature, readings, targets_of
from streamgauge.cli.options import FormatOption, process_overrides, settings_of
from streamgauge.cli.output import print_data

if TYPE_CHECKING:
    from streamgauge.specs import SpecVersion
    from streamgauge.specs.effective import Setting
    from streamgauge.state.views import FeatureView, JudgementView, ModelView


def explain(
    ctx: typer.Context,
    target: Annotated[
        list[str],
        typer.Argument(metavar="MODEL[.FEATURE]", help="A model, or a feature of one."),
    ],
    output: FormatOption = "table",
) -> None:
    """Say how a model or one of its features stands: state, value, threshold, and since when.

    A feature may be all that is judged: `amount`, `len(comment)`, `output.confidence`,
    `input.anomaly`, `errors`, `rule limit-holds`, `feedback redo`; the last word is enough where it
    is the only one. Every setting that holds is shown with where it comes from. All of it is as of
    the last checkpoint of the worker that has the model.

    Example: `streamgauge explain fraud.amount`
    """
    from streamgauge.cli.explain_page import print_feature, print_model
    from streamgauge.specs.effective import effective_settings
    from streamgauge.state.reader import ViewReader
    from streamgauge.state.spec_store import SpecStore

    settings = settings_of(ctx)
    with open_redis(settings) as redis:
        snapshot = ViewReader(redis, learners=settings.learner.group).read()
        known = sorted({view.model for view in snapshot.models} | snapshot.specs.keys())
        # A rule's name is two words, and few shells are told so.
        model, feature, versions = resolve(
            " ".join(target), known, snapshot.models, SpecStore(redis).versions
        )
    views = [view for view in snapshot.models if view.model == model]
    learners = [view for view in snapshot.learners if view.model == model]
    at = now()
    spec = in_effect(versions, at)
    found = effective_settings(
        spec.spec if spec else None,
        model=model,
        overrides=process_overrides(settings),
        feature=feature,
    )
    if output != "table":
        document = _plain(model, feature, views, spec, found)
        if feature is None:
            document["learners"] = [view.model_dump(mode="json") for view in learners]
        print_data(document, output=output)
        return
    written = max((t for v in views if (t := snapshot.written_at(v)) is not None), default=None)
    waiting = versions[-1] if versions and versions[-1] is not spec else None
    if feature is None:
        shown = (model, views, spec, waiting, found)
        print_model(*shown, learners=learners, written=written, now=at)
    else:
        print_feature(model, feature, views, spec, waiting, found, written=written, now=at)


def resolve(
    target: str,
    known: Sequence[str],
    models: Sequence[ModelView],
    versions_of: Callable[[str], Sequence[SpecVersion]],
) -> tuple[str, str | None, Sequence[SpecVersion]]:
    """The model, the feature, and the model's specs. Raises ``CommandFailed`` for a slip."""
    refused: list[tuple[str, str, set[str]]] = []
    for model, name in readings(target, known):
        versions = versions_of(model)
        if name is None:
            return model, None, versions
        targets = targets_of([view for view in models if view.model == model], versions)
        feature = meant(name, targets)
        if feature is not None:
            return model, feature, versions
        refused.append((model, name, targets))
    # Of several readings one of a model with anything in it is the likelier.
    raise no_such_feature(*max(refused, key=lambda each: bool(each[2])))


def in_effect(versions: Sequence[SpecVersion], at: float) -> SpecVersion | None:
    """The version that holds at a time, by the clock."""
    holding = [version for version in versions if version.effective_at <= at]
    return holding[-1] if holding else None


def feature_views(
    views: Sequence[ModelView], feature: str
) -> list[tuple[str, FeatureView, str | None]]:
    """A feature's views, each with the name of its series, and the version it is held against.

    What is no column (a rule, what users do) is a feature with judgements and nothing else.
    """
    found: list[tuple[str, FeatureView, str | None]] = []
    for view in views:
        several = len(views) > 1
        for series in view.series:
            name = series_name(view, series.version, series.step, several=several)
            named = [each for each in series.features if each.name == feature]
            named += _bare(feature, [j for j in series.judgements if j.target == feature])
            found += [(name, each, series.rival) for each in named]
        for truth in view.truth.series if view.truth is not None else ():
            name = series_name(view, truth.version, truth.step, several=several)
            errors = [j for j in truth.judgements if j.target == feature and is_drift(j)]
            found += [(name, each, None) for each in _bare(feature, errors)]
        acts = [j for j in view.behaviour if f"feedback {j.target}" == feature]
        name = f"all versions, partition {view.partition}" if several else "all versions"
        found += [(name, each, None) for each in _bare(feature, acts)]
    return found


def is_drift(judgement: JudgementView) -> bool:
    """Whether a judgement of the truth is about errors, and not about a criterion."""
    return judgement.kind == "concept_drift"


def _bare(feature: str, judgements: list[JudgementView]) -> list[FeatureView]:
    from streamgauge.state.views import FeatureView

    if not judgements:
        return []
    return [FeatureView(name=feature, type="unknown", judgements=judgements)]


def series_name(view: ModelView, version: str, step: str, *, several: bool) -> str:
    """What to call one (version, step) of a model, and the shard where there are several."""
    name = f"version {version}" + (f", step {step}" if step else "")
    return f"{name}, partition {view.partition}" if several else name


def _plain(
    model: str,
    feature: str | None,
    views: Sequence[ModelView],
    spec: SpecVersion | None,
    settings: Sequence[Setting],
) -> dict[str, Any]:
    from streamgauge.cli.truth_advice import advice

    document: dict[str, Any] = {"model": model}
    if feature is None:
        document["views"] = [view.model_dump(mode="json") for view in views]
        document["label_advice"] = [
            line for view in views if view.truth is not None for line in advice(view.truth.labels)
        ]
    else:
        document["feature"] = feature
        document["views"] = [
            {"series": name, **each.model_dump(mode="json")}
            for name, each, _ in feature_views(views, feature)
        ]
    document["spec_version"] = spec.number if spec else None
    document["spec"] = spec.spec.document() if spec else None
    document["settings"] = [setting._asdict() for setting in settings]
    return document
