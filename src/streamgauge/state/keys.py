"""Names of Redis keys. Nothing that came from an event is ever part of one."""

from __future__ import annotations

import hashlib

PREFIX = "streamgauge"
#: The field of checkpoint and view hashes that belongs to the partition and to no model.
PARTITION_FIELD = "_"


def model_id(model: str) -> str:
    """128 bits of the model's name, in hex: no name can inject a key."""
    return hashlib.blake2b(model.encode(), digest_size=16).hexdigest()


def checkpoint_key(group: str, partition: int) -> str:
    """Hash-tagged, so that it shares a cluster slot with its view."""
    return f"{PREFIX}:ck:{{{group}:{partition}}}"


def view_key(group: str, partition: int) -> str:
    return f"{PREFIX}:view:{{{group}:{partition}}}"


def spec_key(model: str) -> str:
    """A hash: ``latest`` holds the number of the newest version, each number its document."""
    return f"{PREFIX}:spec:{model_id(model)}"


def reference_key(model: str, reference_id: str) -> str:
    return f"{PREFIX}:reference:{model_id(model)}:{reference_id}"


def process_key(service: str, instance: str) -> str:
    return f"{PREFIX}:process:{service}:{instance}"


def notified_key(sink: str, alarm_id: str) -> str:
    """One delivered alarm. The sink's name is from the settings, which keep it plain."""
    return f"{PREFIX}:notified:{sink}:{model_id(alarm_id)}"


def model_key(model: str, part: str) -> str:
    """A part of a model's registry. Hash-tagged: all of them share a cluster slot."""
    return f"{PREFIX}:model:{{{model_id(model)}}}:{part}"
