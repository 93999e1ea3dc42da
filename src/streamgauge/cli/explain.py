"""``streamgauge explain``: how a model or a feature stands, and why."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streamgauge.cli.apply import now
from streamgauge.cli.connections import open_redis
from streamgauge.cli.failures import CommandFailed
from streamgauge.cli.options import FormatOption, process_overrides, settings_of
from streamgauge.cli.output import print_data

if TYPE_CHECKING:
    from streamgauge.specs import SpecVersion
    from streamgauge.specs.effective import Setting
    from streamgauge.state.views import FeatureView, ModelView


def explain(
    ctx: typer.Context,
    target: Annotated[str, typer.Argument(help="MODEL, or MODEL.FEATURE.")],
    output: FormatOption = "table",
) -> None:
    """Say how a model or one of its features stands: state, value, threshold, and since when.

    Every setting that holds is shown with where it comes from. All of it is as of the last
    checkpoint of the worker that has the model.

    Example: `streamgauge explain fraud.amount`
    """
    from streamgauge.cli.explain_page import print_feature, print_model
    from streamgauge.specs.effective import effective_settings
    from streamgauge.state.reader import ViewReader
    from streamgauge.state.spec_store import SpecStore

    settings = settings_of(ctx)
    with open_redis(settings) as redis:
        snapshot = ViewReader(redis).read()
        known = sorted({view.model for view in snapshot.models} | snapshot.specs.keys())
        model, feature = split_target(target, known)
        versions = SpecStore(redis).versions(model)
    views = [view for view in snapshot.models if view.model == model]
    if feature is not None:
        refuse_unknown_feature(model, feature, views, versions)
    at = now()
    spec = in_effect(versions, at)
    found = effective_settings(
        spec.spec if spec else None,
        model=model,
        overrides=process_overrides(settings),
        feature=feature,
    )
    if output != "table":
        print_data(_plain(model, feature, views, spec, found), output=output)
        return
    written = max((t for v in views if (t := snapshot.written_at(v)) is not None), default=None)
    waiting = versions[-1] if versions and versions[-1] is not spec else None
    if feature is None:
        print_model(model, views, spec, waiting, found, written=written, now=at)
    else:
        print_feature(model, feature, views, spec, waiting, found, written=written, now=at)


def split_target(target: str, known: Collection[str]) -> tuple[str, str | None]:
    """Model and feature of ``MODEL.FEATURE``. Both may hold dots, so the known models decide.

    >>> split_target("fraud.v2.amount", ["fraud", "fraud.v2"])
    ('fraud.v2', 'amount')
    """
    if target in known:
        return target, None
    fitting = [model for model in known if target.startswith(f"{model}.")]
    if fitting:
        model = max(fitting, key=len)
        return model, target[len(model) + 1 :]
    if not known:
        raise CommandFailed(
            f"nothing is known of {target!r}: no model was seen yet",
            "send a first prediction, and see that the monitor runs (`python -m services.stack`)",
        )
    raise CommandFailed(f"no model {target!r} was seen yet", _nearest(target, known))


def refuse_unknown_feature(
    model: str, feature: str, views: Sequence[ModelView], versions: Sequence[SpecVersion]
) -> None:
    """A feature that neither the stream nor the spec has is a slip of the pen."""
    names = {each.name for view in views for series in view.series for each in series.features}
    if versions:
        names |= versions[-1].spec.features.keys()
    if feature in names:
        return
    if not names:
        raise CommandFailed(
            f"model {model!r} has no judged features yet", f"see `streamgauge explain {model}`"
        )
    raise CommandFailed(f"model {model!r} has no feature {feature!r}", _nearest(feature, names))


def in_effect(versions: Sequence[SpecVersion], at: float) -> SpecVersion | None:
    """The version that holds at a time, by the clock."""
    holding = [version for version in versions if version.effective_at <= at]
    return holding[-1] if holding else None


def feature_views(views: Sequence[ModelView], feature: str) -> list[tuple[str, FeatureView]]:
    """A feature's views, each with the name of its series."""
    return [
        (series_name(view, series.version, series.step, several=len(views) > 1), each)
        for view in views
        for series in view.series
        for each in series.features
        if each.name == feature
    ]


def series_name(view: ModelView, version: str, step: str, *, several: bool) -> str:
    """What to call one (version, step) of a model, and the shard where there are several."""
    name = f"version {version}" + (f", step {step}" if step else "")
    return f"{name}, partition {view.partition}" if several else name


def _nearest(word: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(word, list(known), n=3, cutoff=0.5)
    if near:
        return f"did you mean {' or '.join(repr(each) for each in near)}?"
    return f"there are: {', '.join(sorted(known)[:10])}"


def _plain(
    model: str,
    feature: str | None,
    views: Sequence[ModelView],
    spec: SpecVersion | None,
    settings: Sequence[Setting],
) -> dict[str, Any]:
    document: dict[str, Any] = {"model": model}
    if feature is None:
        document["views"] = [view.model_dump(mode="json") for view in views]
    else:
        document["feature"] = feature
        document["views"] = [
            {"series": name, **each.model_dump(mode="json")}
            for name, each in feature_views(views, feature)
        ]
    document["spec_version"] = spec.number if spec else None
    document["spec"] = spec.spec.document() if spec else None
    document["settings"] = [setting._asdict() for setting in settings]
    return document
