"""A console server on documents that a test feeds, and a reader of its streams."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from prometheus_client import CollectorRegistry

from streamgauge.console.access import Access
from streamgauge.console.documents import Documents
from streamgauge.console.server import ConsoleServer
from streamgauge.exposition.source import Reading

Headers = dict[str, str]


class Console:
    """A server that listens, with the readings that a test gives it."""

    def __init__(self, server: ConsoleServer, documents: Documents) -> None:
        self.server = server
        self.documents = documents
        self.port = int(server.url.rpartition(":")[2])

    def publish(self, reading: Reading) -> None:
        self.documents.take(reading)
        self.server.publish()

    def ask(
        self,
        path: str,
        *,
        method: str = "GET",
        headers: Headers | None = None,
        body: bytes | None = None,
    ) -> tuple[int, bytes, Headers]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path, body=body, headers=headers or {})
            response = connection.getresponse()
            return response.status, response.read(), dict(response.getheaders())
        finally:
            connection.close()

    @contextmanager
    def stream(self, query: str = "screen=fleet", **headers: str) -> Iterator[Stream]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", f"/api/stream?{query}", headers=headers)
            yield Stream(connection.getresponse())
        finally:
            connection.close()


class Stream:
    """The blocks of an open stream, one after the other."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.response = response

    def block(self) -> dict[str, str]:
        """Fields of the next block; a comment is the field of no name."""
        fields: dict[str, str] = {}
        while line := self.response.readline().decode().rstrip("\n"):
            name, _, value = line.partition(":")
            fields[name] = value.removeprefix(" ")
        return fields

    def message(self) -> tuple[str, dict[str, Any]]:
        """Id and document of the next message, past all else."""
        while True:
            fields = self.block()
            if "data" in fields:
                return fields["id"], json.loads(fields["data"])


@contextmanager
def serving(
    *,
    registry: CollectorRegistry | None = None,
    token: str | None = None,
    operator_token: str | None = None,
    admin_token: str | None = None,
    host: str = "127.0.0.1",
    **options: Any,
) -> Iterator[Console]:
    documents = Documents(bootstrap_servers="kafka.example:9092")
    server = ConsoleServer(
        registry or CollectorRegistry(),
        documents=documents,
        access=Access(
            host=host, token=token, operator_token=operator_token, admin_token=admin_token
        ),
        host=host,
        **options,
    )
    server.start()
    try:
        yield Console(server, documents)
    finally:
        server.stop()
