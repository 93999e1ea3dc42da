"""The ways: each a module that does the job in a process of its own and prints what it took."""

from __future__ import annotations
