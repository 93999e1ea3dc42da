"""Who hangs up has not refused us: a broker that starts, or a proxy with nobody behind it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from streamgauge.access.kafka_refusal import ask_kafka


@pytest.fixture
def hanging_up() -> Iterator[str]:
    """A port that takes each connection and closes it at the first word."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(1)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
        thread.join(timeout=5)


def test_a_port_that_hangs_up_at_once_is_away_and_waited_for(hanging_up: str) -> None:
    assert ask_kafka(hanging_up, {}) is None


def test_a_port_where_nobody_listens_is_too() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        assert ask_kafka(f"127.0.0.1:{probe.getsockname()[1]}", {}) is None
