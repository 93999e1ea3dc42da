"""Who hangs up has not refused us: a broker that starts, or a proxy with nobody behind it."""

from __future__ import annotations

import gc
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from streamgauge.access.kafka_refusal import ask_kafka
from tests.integration.secured.certificates import Authority


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


def test_nothing_stays_open_where_tls_never_says_goodbye(tmp_path: Path) -> None:
    # Given a server that speaks TLS but no Kafka, and does not answer when we leave
    authority = Authority(tmp_path)
    pair = authority.sign("server")
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    theirs.load_cert_chain(pair.certificate, pair.key)
    done = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with theirs.wrap_socket(connection, server_side=True) as talking:
                talking.recv(100)
                talking.sendall(b"\0\0\0\4\0\0\0\7")
                done.wait(20)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        ours = ssl.create_default_context(cafile=str(authority.ca))
        # When it is asked
        security = {"security_protocol": "SSL", "ssl_context": ours}
        ask_kafka(f"127.0.0.1:{server.getsockname()[1]}", security)
        done.set()
        thread.join(timeout=5)
    # Then our end is closed: the warning of one that is not is an error
    gc.collect()
