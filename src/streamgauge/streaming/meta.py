"""What a checkpoint says beside the state: last records, counts, versions."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import NamedTuple

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from streamgauge.processing import LogRecord, StateError
from streamgauge.state.views import DeadSampleView, PartitionView

SCHEMA = 1


class LastRecord(NamedTuple):
    """Enough of a record to know it again: Kafka's topic ids are not visible to aiokafka 0.14."""

    offset: int
    timestamp: float | None
    crc: int

    @classmethod
    def of(cls, record: LogRecord) -> LastRecord:
        crc = zlib.crc32(record.value or b"", zlib.crc32(record.key or b""))
        return cls(record.offset, record.timestamp, crc)


class InvalidCounts(BaseModel):
    """Refused records of the minute that ends at ``until``; see ``invalid_events``."""

    until: float | None = None
    seen: int = 0
    invalid: int = 0
    in_a_row: int = 0
    firing: bool = False


class Meta(BaseModel):
    """``counts`` go by ``kind/outcome``. ``written_at`` is the one field that is not the log's."""

    model_config = ConfigDict(extra="ignore")

    schema_version: int = SCHEMA
    code_version: str = ""
    records: dict[str, LastRecord] = Field(default_factory=dict)
    first: dict[str, int] = Field(default_factory=dict)
    #: How many numbers the topics had; 0 is not known.
    partitions: int = 0
    log_time: float | None = None
    counts: dict[str, int] = Field(default_factory=dict)
    dead: dict[str, int] = Field(default_factory=dict)
    dead_samples: dict[str, list[DeadSampleView]] = Field(default_factory=dict)
    invalid: InvalidCounts = Field(default_factory=InvalidCounts)
    lost: int = 0
    holes: int = 0
    written_at: float | None = None

    def to_bytes(self) -> bytes:
        return orjson.dumps(self.model_dump())

    @classmethod
    def from_bytes(cls, content: bytes) -> Meta:
        try:
            meta = cls.model_validate_json(content)
        except ValidationError as error:
            raise StateError(f"the checkpoint's meta is damaged: {error}") from error
        if meta.schema_version > SCHEMA:
            raise StateError(
                f"the checkpoint is of schema {meta.schema_version}, this version knows {SCHEMA}:"
                " run the version that wrote it, or a newer one"
            )
        return meta

    def conservation_difference(self, offsets: Mapping[str, int]) -> int:
        """Positions advanced minus what became of the records; 0 unless there is a defect."""
        advanced = sum(offset - self.first.get(name, offset) for name, offset in offsets.items())
        return advanced - sum(self.counts.values()) - self.lost - self.holes

    def view(
        self,
        partition: int,
        offsets: Mapping[str, int],
        gauges: Mapping[str, float],
        number: int,
        *,
        lag: int,
    ) -> PartitionView:
        """The partition's own view. ``lag`` is how many records of the log were not taken yet."""
        return PartitionView(
            partition=partition,
            positions=dict(offsets),
            first_positions=dict(self.first),
            log_time=self.log_time,
            counts=dict(self.counts),
            dead=dict(self.dead),
            dead_samples=dict(self.dead_samples),
            lost=self.lost,
            holes=self.holes,
            lag=lag,
            gauges=dict(gauges),
            checkpoint=number,
            written_at=self.written_at,
        )
