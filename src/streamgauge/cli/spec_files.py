"""Reading spec files for ``apply`` and ``check``, with everything that can be checked here."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from streamgauge.cli.failures import CommandFailed

if TYPE_CHECKING:
    from streamgauge.specs import Mistake, ModelSpec
    from streamgauge.specs.features import DetectorCatalogue
    from streamgauge.specs.learning import LearnerCatalogue

_TRIAL_VALUES = 64


@dataclass(frozen=True, slots=True)
class SpecFile:
    """One file: its spec, or the mistakes in it; and its bytes, for remarks on a right one."""

    path: Path
    spec: ModelSpec | None
    mistakes: tuple[Mistake, ...]
    data: bytes = b""


def detector_catalogue() -> DetectorCatalogue:
    """The detectors that a feature may have, and a trial of each."""
    from streamgauge.detectors import Detector
    from streamgauge.specs.features import DetectorCatalogue

    def trial(name: str, params: Mapping[str, int | float]) -> str:
        try:
            detector = Detector.create(name, **params)
            # Some parameters are only wrong once there are values.
            for i in range(_TRIAL_VALUES):
                detector.update(float(i % 2))
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:
            # River's core panics, and a panic is no Exception.
            return " ".join(str(error).split()) or type(error).__name__
        return ""

    classes = Detector.classes()
    parameters = {
        name: list(inspect.signature(found).parameters) for name, found in classes.items()
    }
    of_errors = {name for name, found in classes.items() if found.series == "error"}
    return DetectorCatalogue(
        {name: each for name, each in parameters.items() if name not in of_errors},
        trial,
        {name: each for name, each in parameters.items() if name in of_errors},
    )


def learner_catalogue() -> LearnerCatalogue:
    """The estimators that challengers may name."""
    from streamgauge.pipelines.estimators import ESTIMATORS
    from streamgauge.pipelines.pipeline import misfit
    from streamgauge.specs.learning import LearnerCatalogue

    return LearnerCatalogue(
        tasks={name: each.tasks for name, each in ESTIMATORS.items()},
        parameters={
            name: {key: parameter.expected for key, parameter in each.parameters.items()}
            for name, each in ESTIMATORS.items()
        },
        takes=lambda name, key, value: ESTIMATORS[name].parameters[key].read(value) is not None,
        misfit=misfit,
    )


def read_specs(paths: Sequence[Path]) -> list[SpecFile]:
    """Read and validate every file. Two files for one model are a mistake of the second."""
    from streamgauge.specs import Mistake, SpecInvalid
    from streamgauge.specs.yaml_source import load_spec

    detectors, learners = detector_catalogue(), learner_catalogue()
    files: list[SpecFile] = []
    first: dict[str, Path] = {}
    for path in paths:
        data = _read(path)
        try:
            spec = load_spec(data, name=str(path), detectors=detectors, learners=learners)
        except SpecInvalid as error:
            files.append(SpecFile(path, None, error.mistakes))
            continue
        if spec.model in first:
            message = f"model {spec.model!r} has a spec in {first[spec.model]} already"
            mistake = Mistake(str(path), 1, 1, message, "one file per model")
            files.append(SpecFile(path, None, (mistake,)))
            continue
        first[spec.model] = path
        files.append(SpecFile(path, spec, (), data))
    return files


def remarks_on(file: SpecFile, *, today: float) -> tuple[Mistake, ...]:
    """What is odd about a spec that is right, with places; nothing for one with mistakes."""
    from streamgauge.specs.lint import lint
    from streamgauge.specs.yaml_source import located_remarks

    if file.spec is None:
        return ()
    return located_remarks(file.data, lint(file.spec, today=today), name=str(file.path))


def _read(path: Path) -> bytes:
    from streamgauge.specs.located import MAX_BYTES

    try:
        with path.open("rb") as file:
            # One byte more than allowed is enough to be refused for.
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise CommandFailed(f"can't read {path}: {error.strerror}") from error
