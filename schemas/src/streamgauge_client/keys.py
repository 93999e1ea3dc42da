"""Where an event goes: the record key, and the hash that all producers of a topic must share."""

from __future__ import annotations

_SEED = 0x9747B28C
_MIX = 0x5BD1E995
_MASK = 0xFFFFFFFF
#: The longest key the monitor takes, in bytes.
MAX_KEY_BYTES = 128


def murmur2(data: bytes) -> int:
    """MurmurHash2 as Kafka's Java client computes it, as an unsigned 32-bit number.

    Java calls the same bits a signed int. Partitions and shards use the positive part,
    ``murmur2(key) & 0x7FFFFFFF``, on both sides.

    >>> murmur2(b"foobar") - 2**32
    -790332482

    References
    ----------
    Austin Appleby, MurmurHash2; ``org.apache.kafka.common.utils.Utils.murmur2``.
    """
    length = len(data)
    whole = length & ~3
    value = _SEED ^ length
    for start in range(0, whole, 4):
        word = int.from_bytes(data[start : start + 4], "little") * _MIX & _MASK
        word = (word ^ word >> 24) * _MIX & _MASK
        value = (value * _MIX & _MASK) ^ word
    if whole < length:
        value = (value ^ int.from_bytes(data[whole:], "little")) * _MIX & _MASK
    value = (value ^ value >> 13) * _MIX & _MASK
    return value ^ value >> 15


def partition_key(model: str, prediction_id: str, shards: int = 1) -> bytes:
    """The record key of an event: the model, or ``model/s`` for a model cut into shards.

    ``s`` follows from the prediction's id, so a prediction, its labels and its feedback meet
    whichever process sends them. All producers of a model must agree on ``shards``.

    >>> partition_key("fraud", "p-1")
    b'fraud'
    >>> partition_key("fraud", "p-1", 4)
    b'fraud/0'
    """
    if shards <= 1:
        return model.encode()
    shard = (murmur2(prediction_id.encode()) & 0x7FFFFFFF) % shards
    return f"{model}/{shard}".encode()
