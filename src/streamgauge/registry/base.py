"""The protocols behind the registry: where artefacts lie."""

from __future__ import annotations

from typing import Protocol


class ArtefactStore(Protocol):
    """Keeps signed artefacts by model and version. It may be anybody's: what it returns is checked.

    Every method may raise ``StoreFailed``. An artefact never changes: a second ``put`` under the
    same version with other bytes is refused by ``AlreadyThere``.
    """

    def put(self, model: str, version: int, artefact: bytes) -> None:
        """Keep it, durable on return. The same bytes again change nothing."""

    def get(self, model: str, version: int) -> bytes | None:
        """The artefact, or None. Raises ``Rejected``, or gives the beginning, if too large."""

    def versions(self, model: str) -> list[int]:
        """The versions that are kept, sorted."""

    def remove(self, model: str, version: int) -> None:
        """Let go of one; what is not there is removed already."""


class StoreFailed(Exception):
    """The store does not answer, or refuses. Trying again later is safe."""


class AlreadyThere(Exception):
    """Under that version lies another artefact."""

    def __init__(self, model: str, version: int) -> None:
        super().__init__(
            f"version {version} of {model} is stored with other content; a version never changes:"
            " allocate a new one"
        )
