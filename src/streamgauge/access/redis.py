"""Clients of Redis: the only place that makes one from the settings."""

from __future__ import annotations

import ssl
from typing import Any

from redis import Redis
from redis import asyncio as aioredis

from streamgauge.settings.sections import RedisSettings


def redis_client(settings: RedisSettings, **options: Any) -> Redis:
    """A client for threads. Raises ``ValueError`` for a URL that is none."""
    client: Redis = Redis.from_url(_url(settings), **redis_security(settings), **options)
    return client


def async_redis(settings: RedisSettings, **options: Any) -> aioredis.Redis:
    """A client for an event loop. Raises ``ValueError`` for a URL that is none."""
    client: aioredis.Redis = aioredis.Redis.from_url(
        _url(settings), **redis_security(settings), **options
    )
    return client


def redis_security(settings: RedisSettings) -> dict[str, Any]:
    """redis-py's keywords besides the URL; they hold the password."""
    security = settings.security
    options: dict[str, Any] = {}
    if security.password is not None:
        options["password"] = security.password.get_secret_value()
    if security.username is not None:
        options["username"] = security.username
    # Without TLS its connection takes none of these keywords.
    if _url(settings).startswith("rediss://"):
        options |= {
            "ssl_cert_reqs": "required",
            "ssl_check_hostname": True,
            "ssl_min_version": ssl.TLSVersion.TLSv1_2,
        }
        for name, value in (
            ("ssl_ca_certs", security.ca_file),
            ("ssl_certfile", security.certificate_file),
            ("ssl_keyfile", security.key_file),
        ):
            if value is not None:
                options[name] = str(value)
        if security.key_password is not None:
            options["ssl_password"] = security.key_password.get_secret_value()
    return options


def _url(settings: RedisSettings) -> str:
    return settings.url.get_secret_value()
