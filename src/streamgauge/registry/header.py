"""What an artefact says of itself: which model, from what, learned up to where."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from typing import Annotated, Any

import orjson
from pydantic import BaseModel, ConfigDict, Field

from streamgauge.registry.rejected import Rejected

FORMAT = 1
#: Libraries whose versions decide whether a stored model means the same.
LIBRARIES = ("python", "river", "numpy", "streamgauge")

Name = Annotated[str, Field(min_length=1, max_length=128)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Version = Annotated[int, Field(ge=1, le=2**53)]


class Trial(BaseModel):
    """An input and what the model answered to it, for the self-test at each load."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: Pairs in the order in which the model saw them: canonical JSON sorts an object's keys, and
    #: sums over features in another order differ in the last digit.
    features: list[tuple[str, Any]]
    answer: Any

    @property
    def row(self) -> dict[str, Any]:
        """The input as the model takes it."""
        return dict(self.features)


class ModelHeader(BaseModel):
    """The signed description of one version of a model.

    ``version`` is the registry's number: it only grows. ``positions`` are next offsets by
    "topic:partition". ``created_at`` is log time, in seconds since 1970: no clock goes into an
    artefact, so that the same log gives the same bytes.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int = FORMAT
    model: Name
    version: Version
    pipeline: Name
    estimator: Name | None = None
    parent: Version | None = None
    #: The SHA-256 of the parent's payload.
    parent_sha256: str | None = None
    spec_version: int | None = None
    libraries: dict[str, str]
    positions: dict[str, int] = {}
    metrics: dict[str, Finite] = {}
    #: Examples learned from.
    examples: Annotated[int, Field(ge=0)] = 0
    created_at: Finite
    payload_bytes: Annotated[int, Field(ge=0)]
    payload_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    trials: Annotated[list[Trial], Field(max_length=20)] = []

    def to_bytes(self) -> bytes:
        """Canonical JSON: the same header, the same bytes."""
        return orjson.dumps(self.model_dump(mode="json"), option=orjson.OPT_SORT_KEYS)

    def lineage(self) -> dict[str, Any]:
        """All but the inputs that were kept for the self-test: records are shown to people."""
        return self.model_dump(mode="json", exclude={"trials", "format"})


def libraries() -> dict[str, str]:
    """The versions that run here."""
    return dict(_libraries())


@cache
def _libraries() -> Mapping[str, str]:
    """Read once: each is a file to be parsed."""
    return {"python": platform.python_version()} | {
        name: version(name) for name in LIBRARIES if name != "python"
    }


def refuse_other_libraries(stored: dict[str, str]) -> None:
    """Raises ``Rejected`` where a library's ``major.minor`` differs (numpy's and ours: major).

    A newer River may name attributes otherwise: its models would load, and answer nonsense.
    """
    here = libraries()
    for name in ("python", "river", "numpy"):
        parts = 1 if name == "numpy" else 2
        then, now = stored.get(name, ""), here[name]
        if then.split(".")[:parts] != now.split(".")[:parts]:
            raise Rejected(
                "versions",
                f"the model was stored under {name} {then or '(unknown)'}, here runs {now};"
                f" serve it with {name} {then}, or let the learner publish it anew",
            )
