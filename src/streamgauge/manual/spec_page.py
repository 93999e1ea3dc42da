"""``spec.md``: every key of a spec, from the models that read it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from streamgauge.manual.docstring import Docstring
from streamgauge.manual.markdown import anchor, code, page, table
from streamgauge.manual.sections import COLUMNS, Place, places
from streamgauge.pipelines.estimators import ESTIMATORS
from streamgauge.specs.base import SpecPart
from streamgauge.specs.measures import ALIASES, MEASURES
from streamgauge.specs.model_spec import ModelSpec
from streamgauge.specs.scalars import Duration, show_duration

_INTRODUCTION = """\
One YAML file a model; all of it is optional but `model`. `streamgauge check fraud.yaml` says what
is wrong or odd, with line and column; `streamgauge apply fraud.yaml` makes it hold two seconds
later, as a new version. `streamgauge schema spec` prints the JSON Schema for your editor.
[fraud.yaml](../deploy/specs/fraud.yaml) says everything at once; the examples here are from it."""

#: By it a number is known to be a duration.
_DURATION = get_args(Duration)[1]


def spec_page(examples: Mapping[str, str]) -> str:
    """The page. ``examples`` are texts by top-level key."""
    top, *rest = places(Place("", ModelSpec))
    # Keys that have a section are shown there.
    sections = {place.path.partition(".")[0].removesuffix("[]") for place in rest}
    plain = "\n".join(text for key, text in examples.items() if key not in sections)
    parts = [_INTRODUCTION, "## The whole", _table(top), code(plain, "yaml"), *_planned(top)]
    for place in rest:
        parts += _section(place, examples)
    return page("The spec of a model", *parts, *_figures(), *_estimators())


def _section(place: Place, examples: Mapping[str, str]) -> list[str]:
    name = place.path.removesuffix(".<name>").removesuffix("[]")
    heading = f"{'###' if '.' in name else '##'} `{place.path}`"
    example = code(examples[name], "yaml") if name in examples else ""
    return [heading, _text(place), _table(place), example, *_planned(place)]


def _text(place: Place) -> str:
    """What the part's docstring says to who writes a spec, and not to who reads one by code."""
    paragraphs = Docstring.of(place.part).text.split("\n\n")
    return "\n\n".join(
        each for each in paragraphs if "in the validation context" not in " ".join(each.split())
    )


def _planned(place: Place) -> list[str]:
    assert issubclass(place.part, SpecPart)
    planned = sorted(place.part.planned.items())
    return [f"Not there yet, and refused: `{key}` ({what})." for key, what in planned]


def _table(place: Place) -> str:
    targets = {each.path.removesuffix(".<name>").removesuffix("[]"): each for each in place.below()}
    rows = []
    for (shown, *rest), (key, _) in zip(place.rows(_default), place.fields(), strict=True):
        target = targets.get(f"{place.path}.{key}" if place.path else key)
        rows.append((f"[{shown}](#{anchor(target.path)})" if target else shown, *rest))
    return table(COLUMNS, rows)


def _default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True)
    if value is PydanticUndefined:
        return "needed"
    if isinstance(value, SpecPart) or value is None or value in ((), {}):
        return ""
    if _DURATION in field.metadata:
        return f"`{show_duration(value)}`"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{_plain(value)}`"


def _plain(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _figures() -> list[str]:
    also = {name: [alias for alias, of in ALIASES.items() if of == name] for name in MEASURES}
    rows = [
        (
            f"`{each.name}`" + "".join(f", `{alias}`" for alias in also[each.name]),
            {"no": "", "optional": "one feature's, or the worst", "required": "a feature's"}[
                each.feature
            ],
            each.needs,
            each.about,
        )
        for each in MEASURES.values()
    ]
    return [
        "## Figures",
        "What `criteria`, `acceptance`, `baselines`, `risks` and `retraining.below` may name. A"
        " feature's is written `missing_ratio(amount)`. `custom:refund_ratio` is of feedback of"
        " your own, `score:happiness` a score that your labels carry; `@24h` behind it is its"
        " horizon.",
        table(("figure", "of", "needs", "is"), rows),
    ]


def _estimators() -> list[str]:
    rows = [
        (
            f"`{each.name}`",
            ", ".join(each.tasks),
            "; ".join(
                f"`{name}` ({taken.expected}; `{_plain(taken.default)}`)"
                for name, taken in each.parameters.items()
            ),
        )
        for each in ESTIMATORS.values()
    ]
    return [
        "## Estimators",
        "What `learning.challengers.<name>.estimator` may name. Behind what a parameter takes"
        " stands its default.",
        table(("estimator", "tasks", "parameters"), rows),
    ]
