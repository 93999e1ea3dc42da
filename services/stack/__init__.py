"""Everything on one machine: an embedded broker, a Redis, and every service."""

from __future__ import annotations
