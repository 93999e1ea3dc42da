"""One suite for all that keeps artefacts: Redis, a directory, an object store."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from streamgauge.registry.base import AlreadyThere, ArtefactStore, StoreFailed
from streamgauge.registry.directory_store import DirectoryArtefacts
from streamgauge.registry.redis_store import RedisArtefacts
from streamgauge.registry.s3_store import ObjectArtefacts, S3Client
from streamgauge.state.keys import model_id


class Objects:
    """Implements ``ObjectClient`` in memory."""

    def __init__(self) -> None:
        self.held: dict[str, bytes] = {}
        self.broken = False

    def put(self, name: str, content: bytes) -> None:
        self._check()
        self.held[name] = content

    def get(self, name: str, limit: int) -> bytes | None:
        self._check()
        found = self.held.get(name)
        return None if found is None else found[:limit]

    def list(self, prefix: str) -> Iterable[str]:
        self._check()
        return [name for name in self.held if name.startswith(prefix)]

    def delete(self, name: str) -> None:
        self._check()
        self.held.pop(name, None)

    def _check(self) -> None:
        if self.broken:
            raise RuntimeError("503 slow down")


@pytest.fixture(
    params=["directory", "objects", "fake", pytest.param("real", marks=pytest.mark.integration)]
)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ArtefactStore]:
    if request.param == "directory":
        yield DirectoryArtefacts(tmp_path / "models")
    elif request.param == "objects":
        yield ObjectArtefacts(Objects())
    else:
        with Redis.from_url(request.getfixturevalue(f"{request.param}_redis_url")) as client:
            client.flushall()
            yield RedisArtefacts(client)


NASTY = ["fraud", "../../etc/passwd", "a:b{c}*", "a/b\\c", "\0", "modèle 模型", "x" * 128]


@pytest.mark.parametrize("model", NASTY)
def test_what_is_put_is_got_whatever_the_name(store: ArtefactStore, model: str) -> None:
    assert store.get(model, 1) is None and store.versions(model) == []
    store.put(model, 2, b"two")
    store.put(model, 10, b"\x00ten\xff")
    store.put("another", 3, b"three")
    assert store.get(model, 10) == b"\x00ten\xff"
    assert store.versions(model) == [2, 10]
    store.remove(model, 2)
    store.remove(model, 2)
    assert store.versions(model) == [10] and store.get(model, 2) is None


def test_an_artefact_never_changes(store: ArtefactStore) -> None:
    store.put("fraud", 1, b"one")
    store.put("fraud", 1, b"one")
    with pytest.raises(AlreadyThere, match="version 1 of fraud"):
        store.put("fraud", 1, b"other")
    assert store.get("fraud", 1) == b"one"


def test_a_directory_holds_whole_files_and_no_leftovers(tmp_path: Path) -> None:
    store = DirectoryArtefacts(tmp_path)
    store.put("../up", 1, b"one")
    with pytest.raises(AlreadyThere):
        store.put("../up", 1, b"two")
    inside = tmp_path / model_id("../up")
    assert [path.name for path in inside.iterdir()] == ["1.sgm"]
    assert list(tmp_path.parent.glob("up*")) == []
    # Strangers' files are not taken for versions
    (inside / "notes.sgm").write_text("x")
    (inside / ".2.part").write_text("half")
    assert store.versions("../up") == [1]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_directory_that_can_not_be_written(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(StoreFailed, match="can't be written: Permission denied"):
        DirectoryArtefacts(tmp_path).put("fraud", 1, b"one")


def test_a_path_that_is_no_directory(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreFailed, match="can't be written"):
        DirectoryArtefacts(tmp_path / "file").put("fraud", 1, b"one")
    with pytest.raises(StoreFailed, match="can't be read"):
        DirectoryArtefacts(tmp_path / "file").get("fraud", 1)


def test_an_object_store_that_fails_says_so() -> None:
    objects = Objects()
    store = ObjectArtefacts(objects)
    store.put("fraud", 1, b"one")
    assert list(objects.held) == [f"streamgauge/models/{model_id('fraud')}/1.sgm"]
    objects.broken = True
    for action in (
        lambda: store.put("fraud", 2, b"two"),
        lambda: store.get("fraud", 1),
        lambda: store.versions("fraud"),
        lambda: store.remove("fraud", 1),
    ):
        with pytest.raises(StoreFailed, match="503 slow down"):
            action()


class Boto:
    """What boto3's S3 client answers to the five calls that are made. boto3 is not installed."""

    class exceptions:
        class NoSuchKey(Exception):
            pass

    def __init__(self) -> None:
        self.held: dict[str, bytes] = {}

    def put_object(self, *, Bucket: str, Key: str, Body: bytes) -> None:
        assert Bucket == "models"
        self.held[Key] = Body

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:
        import io

        if Key not in self.held:
            raise self.exceptions.NoSuchKey(Key)
        return {"Body": io.BytesIO(self.held[Key])}

    def delete_object(self, *, Bucket: str, Key: str) -> None:
        self.held.pop(Key, None)

    def get_paginator(self, name: str) -> Boto:
        assert name == "list_objects_v2"
        return self

    def paginate(self, *, Bucket: str, Prefix: str) -> list[dict[str, Any]]:
        found = [{"Key": key} for key in self.held if key.startswith(Prefix)]
        return [{"Contents": found[:1]}, {"Contents": found[1:]}, {}]


def test_s3_through_boto3s_calls() -> None:
    store = ObjectArtefacts(S3Client(Boto(), "models"))
    assert store.get("fraud", 1) is None
    store.put("fraud", 1, b"one")
    store.put("fraud", 2, b"two")
    assert store.versions("fraud") == [1, 2] and store.get("fraud", 2) == b"two"
    store.remove("fraud", 1)
    assert store.versions("fraud") == [2]
