"""``detectors.md``: every detector and distance, from the registry and their docstrings."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

from streamgauge.detectors import Detector
from streamgauge.distances import Distance
from streamgauge.manual.docstring import Docstring, first_sentence
from streamgauge.manual.markdown import anchor, code, page, table

_INTRODUCTION = """\
Two kinds of judgement watch a series. **Windows** are compared with their reference by a distance;
that needs no configuration, and its threshold follows from `false_alarms_per_month`. **Detectors**
look at every value, or at the mean of each pane, and date a change. A feature gets those that its
spec names; a model's errors get some without a word, chosen by its task:

```yaml
model: fraud
features:
  amount: {detectors: [{name: adwin, feed: events}, {name: page_hinkley, threshold: 1, delta: 0.1}]}
labels:
  detectors: [{name: hddm_a}, {name: adwin, delta: 0.05}]
```

Values are fed as ranks among the reference, 0 to 1, so that no unit matters; errors are 1 where a
prediction was wrong, else 0."""

_MEASURED = """\
*False alarms* are those in 10,000 stationary, independent values (ranks; errors at a rate of 0.2)
with the default parameters, measured; `tests/detectors/test_contract.py` holds each detector to
its figure. Where errors are rare, correlated or out of order, expect others."""


def detectors_page() -> str:
    """The page."""
    parts = [_INTRODUCTION, "## Detectors", _MEASURED, _overview()]
    for name, detector in Detector.classes().items():
        parts += [f"### `{name}`", *_details(detector)]
    parts += ["## Distances", _DISTANCES, _distances()]
    for name, distance in Distance.classes().items():
        parts += [f"### `{name}`", *_details(distance)]
    return page("Detectors and distances", *parts)


_DISTANCES = """\
Every window is held against its reference by each of these; `js` is the one that fires, the others
are evidence in every judgement, view and alarm. A threshold is what chance alone exceeds with the
probability that the false alarms per month leave to one test, and never below the effect that is
worth an alarm (`min_effect`)."""


def _overview() -> str:
    rows = []
    for name, detector in Detector.classes().items():
        on_errors = detector.create_for_errors(name)
        takes = "errors alone" if detector.series == "error" else "any series"
        rows.append(
            (
                f"[`{name}`](#{anchor(name)})",
                takes,
                _hears(detector().direction, on_errors.direction),
                f"{detector().needed}",
                _ratio(detector.false_alarms),
                first_sentence(Docstring.of(detector).text),
            )
        )
    columns = ("name", "takes", "hears", "first verdict after", "false alarms", "in a sentence")
    return table(columns, rows)


def _distances() -> str:
    return table(
        ("name", "order of bins", "in a sentence"),
        [
            (
                f"[`{name}`](#{anchor(name)})",
                "matters" if distance.ordered else "does not matter",
                first_sentence(Docstring.of(distance).text),
            )
            for name, distance in Distance.classes().items()
        ],
    )


def _details(described: type[Detector] | type[Distance]) -> Iterator[str]:
    said = Docstring.of(described)
    yield said.text
    defaults = inspect.signature(described).parameters
    yield table(
        ("parameter", "default", "meaning"),
        [(f"`{n}`", f"`{defaults[n].default}`", text) for n, text in said.parameters.items()],
    )
    if issubclass(described, Detector) and described.on_errors:
        told = ", ".join(f"`{key}: {value}`" for key, value in described.on_errors.items())
        yield f"On errors, where nothing else is asked for: {told}."
    if said.examples:
        yield code(said.examples, "pycon")
    yield f"*{said.references}*" if said.references else ""


def _hears(series: str, errors: str) -> str:
    words = {"both": "both ways", "up": "rises", "down": "falls"}
    return words[series] if series == errors else f"{words[series]}; of errors {words[errors]}"


def _ratio(false_alarms: float) -> str:
    return f"{false_alarms:g}" if false_alarms else "none seen"
