"""The registry's own fixtures: a fake and a real Redis, and a registry in it."""

from __future__ import annotations

from tests.registry.conftest import fake_redis_url, real_redis_url, redis, registry, url

__all__ = ["fake_redis_url", "real_redis_url", "redis", "registry", "url"]
