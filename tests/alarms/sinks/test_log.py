"""The log: one line an alarm, as loud as the alarm."""

from __future__ import annotations

import logging

import pytest

from tests.alarms.sinks.builders import example, made


@pytest.mark.parametrize(
    ("fields", "level"),
    [
        ({"severity": "info"}, logging.INFO),
        ({"severity": "warning"}, logging.WARNING),
        ({"severity": "critical"}, logging.CRITICAL),
        ({"severity": "critical", "status": "resolved"}, logging.INFO),
        ({"severity": "critical", "status": "acknowledged"}, logging.INFO),
    ],
    ids=str,
)
async def test_the_level_is_the_severity(
    fields: dict[str, str], level: int, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        await made("log").send(example("full", **fields))
    assert [record.levelno for record in caplog.records] == [level]


async def test_a_name_with_a_line_break_stays_in_its_line(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        await made("log").send(example("minimal", model="a\nCRITICAL forged", summary="b\r\nc %s"))
    (record,) = caplog.records
    assert "\n" not in record.getMessage() and "\r" not in record.getMessage()
    assert "a·CRITICAL forged" in record.getMessage()
