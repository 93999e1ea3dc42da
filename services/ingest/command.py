"""The ingest service's command line: settings in, signals, exit codes."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
from collections.abc import Sequence

from services.ingest.app import IngestService
from services.preflight import AccessRefused, check_access
from streamgauge.ingest.listener import CannotListen
from streamgauge.ingest.tokens import TokenError
from streamgauge.settings import SettingsError, load_settings

_HELP = """Takes events over HTTP and puts them on the log: POST /v1/events (CloudEvents in binary,
structured and batched mode, bare JSON, JSON Lines; the events of KServe's payload logger),
POST /v1/oip/{model} (a call in the Open Inference Protocol), and /metrics, /healthz, /readyz.
Settings: STREAMGAUGE_INGEST__HOST, STREAMGAUGE_INGEST__PORT, STREAMGAUGE_INGEST__TOKEN or
STREAMGAUGE_INGEST__TOKEN_FILE, STREAMGAUGE_KAFKA__BOOTSTRAP_SERVERS, STREAMGAUGE_REDIS__URL,
STREAMGAUGE_PRIVACY__KEY, or a file. Without a token it listens on this machine alone.
Exit codes: 0 stopped, 1 can't listen, or Kafka or Redis refuses it, 2 mistake in the settings.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(
        prog="python -m services.ingest",
        description=_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--config", metavar="FILE", help="settings file (default streamgauge.yaml)")
    parser.add_argument("--host", help="where to listen (default 127.0.0.1)")
    parser.add_argument("--port", type=int, help="0 takes a free one (default 9810)")
    options = parser.parse_args(arguments)
    try:
        settings = load_settings(
            config=options.config, ingest__host=options.host, ingest__port=options.port
        )
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    logging.basicConfig(
        level=settings.log.level.upper(),
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        stream=sys.stderr,
    )
    try:
        service = IngestService(settings)
    except TokenError as error:
        print(f"ingest: {error}", file=sys.stderr)
        return 2
    except ValueError as error:
        print(f"STREAMGAUGE_REDIS__URL can't be used: {error}", file=sys.stderr)
        return 2
    try:
        check_access(settings)
        asyncio.run(_run(service))
    except (AccessRefused, CannotListen) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


async def _run(service: IngestService) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with service.running():
        print(f"ingest: {service.url}/v1/events", file=sys.stderr, flush=True)
        await stop.wait()
