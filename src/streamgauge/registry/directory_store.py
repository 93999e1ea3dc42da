"""Artefacts in a directory: ``<root>/<model-id>/<version>.sgm``."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from streamgauge.registry.base import AlreadyThere, StoreFailed
from streamgauge.registry.envelope import MAX_BYTES
from streamgauge.state.keys import model_id

SUFFIX = ".sgm"


class DirectoryArtefacts:
    """Implements ``ArtefactStore``. A reader never sees half a file, also after a power cut.

    The directory's names are hashes of the models' names, so no name leads out of it.
    """

    def __init__(self, root: str | Path) -> None:
        self._root = Path(root)

    def put(self, model: str, version: int, artefact: bytes) -> None:
        path = self._path(model, version)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(artefact)
                    file.flush()
                    os.fsync(file.fileno())
                # Not ``replace``: a link that exists is an error, so two writers can't both win.
                os.link(name, path)
            except FileExistsError:
                if path.read_bytes() != artefact:
                    raise AlreadyThere(model, version) from None
            finally:
                os.unlink(name)
            _sync_directory(path.parent)
        except OSError as error:
            raise StoreFailed(f"{path} can't be written: {error.strerror}") from error

    def get(self, model: str, version: int) -> bytes | None:
        path = self._path(model, version)
        try:
            with path.open("rb") as file:
                # One byte more than is allowed, so that too large is seen as such, and not read.
                return file.read(MAX_BYTES + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreFailed(f"{path} can't be read: {error.strerror}") from error

    def versions(self, model: str) -> list[int]:
        found: list[int] = []
        for path in (self._root / model_id(model)).glob(f"*{SUFFIX}"):
            # Whatever else somebody put there is not ours.
            with contextlib.suppress(ValueError):
                found.append(int(path.stem))
        return sorted(found)

    def remove(self, model: str, version: int) -> None:
        path = self._path(model, version)
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise StoreFailed(f"{path} can't be removed: {error.strerror}") from error

    def _path(self, model: str, version: int) -> Path:
        return self._root / model_id(model) / f"{version}{SUFFIX}"


def _sync_directory(directory: Path) -> None:
    """The name of a new file is durable only with its directory."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
