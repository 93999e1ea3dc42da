"""What a test needs and this machine lacks: a skip, and in CI a failure."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest


def missing(what: str) -> NoReturn:
    """Skip, or fail where everything must be there."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what}, and in CI it must be there")
    pytest.skip(what)
