"""Every kept record is judged as its file's name begins, quickly, and whatever is around it."""

from __future__ import annotations

import pytest

from tests.fuzz import monitored, record_file, verdict

FILES = record_file.corpus()


@pytest.mark.parametrize("name", FILES)
def test_a_kept_record_is_taken_or_refused_as_its_name_says(name: str) -> None:
    record = record_file.read(FILES[name])
    assert verdict.judged(record) == name.partition("-")[0]
    verdict.quick(record)
    verdict.small(record)


def test_every_reason_is_in_the_corpus() -> None:
    assert {name.partition("-")[0] for name in FILES} == {"taken", *verdict.REASONS}


def test_the_whole_corpus_as_one_chunk_is_what_its_records_are() -> None:
    records = [record_file.read(data, offset=i) for i, data in enumerate(FILES.values())]
    verdict.same_as_one_by_one(records)
    verdict.same_as_one_by_one(records[::-1])
    monitored.heard(records)
