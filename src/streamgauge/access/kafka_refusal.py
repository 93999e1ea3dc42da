"""Why Kafka refuses us: asked anew through aiokafka's connection, which tells what went wrong."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Iterator, Mapping
from typing import Any

from streamgauge.access.refusal import LOOK_SECONDS, Refusal, speaks_tls, tls_refusal

_SECTION = "kafka.security"
_DEFAULT_PORT = 9092
GOODBYE_SECONDS = 0.2


def ask_kafka(servers: str, security: Mapping[str, Any]) -> Refusal | None:
    """``kafka_refusal`` for threads that run no event loop."""
    return asyncio.run(kafka_refusal(servers, security))


async def kafka_refusal(servers: str, security: Mapping[str, Any]) -> Refusal | None:
    """Why no server of the list takes us; None where one does, or where nobody answers.

    ``security`` is what ``aiokafka_security`` makes. It takes milliseconds where all is well.
    """
    # Imported here: the command line needs it only where something is wrong.
    from aiokafka.errors import KafkaError

    found: Refusal | None = None
    for host, port in _addresses(servers):
        where = f"Kafka at {host}:{port}"
        try:
            await _converse(host, port, security)
            return None
        except (_HungUp, KafkaError, OSError, TimeoutError, ValueError, AssertionError) as error:
            found = found or await asyncio.to_thread(_cause, where, host, port, security, error)
    return found


class _HungUp(Exception):
    """It said what it speaks, which anybody may ask, and then hung up.

    A broker that starts or ends, or a proxy with nobody behind it, hangs up before that: those are
    away, and are waited for.
    """


async def _converse(host: str, port: int, security: Mapping[str, Any]) -> None:
    """Connect, prove who we are, and ask something that needs that."""
    from aiokafka.conn import AIOKafkaConnection
    from aiokafka.errors import KafkaConnectionError
    from aiokafka.protocol.metadata import MetadataRequest

    # At DEBUG it writes what it sends, and with PLAIN that is the password.
    logging.getLogger("aiokafka").setLevel(logging.WARNING)
    connection = AIOKafkaConnection(
        host, port, request_timeout_ms=int(LOOK_SECONDS * 1000), **security
    )
    try:
        async with asyncio.timeout(LOOK_SECONDS):
            # It asks what the other side speaks, too.
            await connection.connect()
            try:
                await connection.send(MetadataRequest([]))
            except KafkaConnectionError as error:
                raise _HungUp from error
    finally:
        # Where connecting failed it is closed already, and its TLS may still wait for a goodbye.
        transport = getattr(connection._protocol, "_transport", None)
        closed = connection.close()
        if transport is not None:
            # TLS says goodbye and waits for an answer that may not come.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(GOODBYE_SECONDS):
                    await closed
            transport.abort()


def _cause(
    where: str, host: str, port: int, security: Mapping[str, Any], error: Exception
) -> Refusal | None:
    from aiokafka.errors import (
        IllegalSaslStateError,
        SaslAuthenticationFailed,
        UnsupportedSaslMechanismError,
    )

    protocol, user = security.get("security_protocol", "PLAINTEXT"), _user(security)
    mechanism = security.get("sasl_mechanism", "")
    # ValueError: a server that does not know its own part of SCRAM's secret. A certificate that
    # does not hold is one too, and an OSError.
    wrong = isinstance(error, ValueError) and not isinstance(error, OSError)
    if wrong or isinstance(error, SaslAuthenticationFailed):
        return Refusal(
            f"{where} does not know user {user}, or not this password ({mechanism})",
            f"correct {_SECTION}.username and password_file, or {_SECTION}.mechanism; a user may"
            " have a password for one mechanism and none for another",
        )
    if isinstance(error, UnsupportedSaslMechanismError):
        return Refusal(
            f"{where} takes no {mechanism} at this port",
            f"set {_SECTION}.mechanism to one that it takes, or use its port for it",
        )
    if isinstance(error, IllegalSaslStateError):
        return Refusal(
            f"{where} asks for no user at this port, and protocol is {protocol}",
            f"set {_SECTION}.protocol to {protocol.removeprefix('SASL_')}, or use its SASL port",
        )
    if protocol.endswith("SSL"):
        found = tls_refusal(where, _SECTION, host, port, security["ssl_context"])
        if found is not None and not found.remedy:
            other = "SASL_PLAINTEXT (loopback alone)" if user else "PLAINTEXT"
            return Refusal(
                f"{found.cause} at this port, and protocol is {protocol}",
                f"use its TLS port in kafka.bootstrap_servers; without TLS protocol is {other}",
            )
        if found is not None:
            return found
    elif isinstance(error, ConnectionRefusedError):
        return None
    elif speaks_tls(host, port):
        return Refusal(
            f"{where} speaks TLS at this port, and protocol is {protocol}",
            f"set {_SECTION}.protocol to SSL or SASL_SSL, and ca_file to its authority's",
        )
    if not user and isinstance(error, _HungUp):
        return Refusal(
            f"{where} hangs up on who does not say who it is, and protocol is {protocol}",
            f"set {_SECTION}.protocol to SASL_SSL, with username and password_file",
        )
    return None


def _user(security: Mapping[str, Any]) -> str:
    return str(security.get("sasl_plain_username", ""))


def _addresses(servers: str) -> Iterator[tuple[str, int]]:
    for server in servers.split(","):
        host, _, port = server.strip().rpartition(":")
        with contextlib.suppress(ValueError):
            yield (host.strip("[]"), int(port)) if host else (port, _DEFAULT_PORT)
