"""The archive that the settings name: a directory, or a bucket of an object store."""

from __future__ import annotations

from urllib.parse import urlsplit

from streamgauge.registry.base import ArtefactStore, StoreFailed
from streamgauge.registry.directory_store import DirectoryArtefacts
from streamgauge.registry.s3_store import ObjectArtefacts, S3Client


def archive_at(address: str | None) -> ArtefactStore | None:
    """What keeps artefacts at a path, or at ``s3://bucket/prefix``; None for no address.

    Raises ``StoreFailed`` where S3 is wanted and boto3 is not installed.
    """
    if not address:
        return None
    parts = urlsplit(address)
    if parts.scheme != "s3":
        return DirectoryArtefacts(address)
    try:
        import boto3  # type: ignore[import-not-found]
    except ImportError:
        raise StoreFailed(
            "the archive is on S3, and boto3 is not installed; pip install 'streamgauge[s3]'"
        ) from None
    prefix = parts.path.strip("/")
    return ObjectArtefacts(
        S3Client(boto3.client("s3"), parts.netloc), prefix=f"{prefix}/" if prefix else ""
    )
