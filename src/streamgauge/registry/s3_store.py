"""Artefacts in an object store, S3's or another, through four calls of a client."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from typing import Any, Protocol

from streamgauge.registry.base import AlreadyThere, StoreFailed
from streamgauge.registry.envelope import MAX_BYTES
from streamgauge.state.keys import model_id

SUFFIX = ".sgm"


class ObjectClient(Protocol):
    """What an object store must offer. Names are ASCII; failures are any ``Exception``."""

    def put(self, name: str, content: bytes) -> None:
        """Write an object as a whole."""

    def get(self, name: str, limit: int) -> bytes | None:
        """The first ``limit`` bytes of an object, or None where there is none."""

    def list(self, prefix: str) -> Iterable[str]:
        """The names that begin so."""

    def delete(self, name: str) -> None:
        """Remove an object, or nothing."""


class ObjectArtefacts:
    """Implements ``ArtefactStore``: ``<prefix><model-id>/<version>.sgm``."""

    def __init__(self, client: ObjectClient, *, prefix: str = "streamgauge/models/") -> None:
        self._client = client
        self._prefix = prefix

    def put(self, model: str, version: int, artefact: bytes) -> None:
        # Object stores overwrite. Versions are allocated once, so nobody else writes this name;
        # looking first finds mistakes, not races.
        there = self.get(model, version)
        if there == artefact:
            return
        if there is not None:
            raise AlreadyThere(model, version)
        try:
            self._client.put(self._name(model, version), artefact)
        except Exception as error:
            raise StoreFailed(f"the object store does not keep the artefact: {error}") from error

    def get(self, model: str, version: int) -> bytes | None:
        try:
            return self._client.get(self._name(model, version), MAX_BYTES + 1)
        except Exception as error:
            raise StoreFailed(f"the object store does not give the artefact: {error}") from error

    def versions(self, model: str) -> list[int]:
        prefix = f"{self._prefix}{model_id(model)}/"
        try:
            names = list(self._client.list(prefix))
        except Exception as error:
            raise StoreFailed(f"the object store does not list artefacts: {error}") from error
        found: list[int] = []
        for name in names:
            if name.startswith(prefix) and name.endswith(SUFFIX):
                with contextlib.suppress(ValueError):
                    found.append(int(name[len(prefix) : -len(SUFFIX)]))
        return sorted(found)

    def remove(self, model: str, version: int) -> None:
        try:
            self._client.delete(self._name(model, version))
        except Exception as error:
            raise StoreFailed(f"the object store does not remove the artefact: {error}") from error

    def _name(self, model: str, version: int) -> str:
        return f"{self._prefix}{model_id(model)}/{version}{SUFFIX}"


class S3Client:
    """Implements ``ObjectClient`` over boto3 (``pip install 'streamgauge[s3]'``).

    ``client`` is ``boto3.client("s3")``, with whatever endpoint and credentials it was given.
    """

    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def put(self, name: str, content: bytes) -> None:
        self._client.put_object(Bucket=self._bucket, Key=name, Body=content)

    def get(self, name: str, limit: int) -> bytes | None:
        try:
            answer = self._client.get_object(Bucket=self._bucket, Key=name)
        except self._client.exceptions.NoSuchKey:
            return None
        with contextlib.closing(answer["Body"]) as body:
            content: bytes = body.read(limit)
            return content

    def list(self, prefix: str) -> Iterable[str]:
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=prefix
        )
        for page in pages:
            for found in page.get("Contents", ()):
                yield str(found["Key"])

    def delete(self, name: str) -> None:
        self._client.delete_object(Bucket=self._bucket, Key=name)
