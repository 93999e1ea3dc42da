"""One profile for all property tests: the same examples on every run, however slow the machine."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

INTEGRATION = Path(__file__).parent / "integration"

settings.register_profile("suite", deadline=None, derandomize=True)
settings.load_profile("suite")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """See that `make test`, which looks for tests that run alone in one place, finds them all."""
    for item in items:
        if item.get_closest_marker("alone") and INTEGRATION not in item.path.parents:
            raise pytest.UsageError(f"{item.nodeid}: what runs alone belongs into {INTEGRATION}")
