"""The exporter's command line: settings in, signals, exit codes."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import threading
from collections.abc import Sequence

from services.exporter.app import Exporter
from services.preflight import AccessRefused, check_access
from streamgauge.exposition.http import PortInUse
from streamgauge.ingest.tokens import TokenError
from streamgauge.settings import SettingsError, load_settings

_HELP = """Shows what the monitor found: /metrics for Prometheus, / for people (the console),
/healthz, /readyz. Reads Redis alone; what people do about alarms in the console goes to Kafka, too.

Settings: STREAMGAUGE_EXPORTER__HOST, STREAMGAUGE_EXPORTER__PORT, STREAMGAUGE_REDIS__URL, or a file,
and where others can reach the host STREAMGAUGE_EXPORTER__TOKEN for who may look,
STREAMGAUGE_EXPORTER__OPERATOR_TOKEN and STREAMGAUGE_EXPORTER__ADMIN_TOKEN for who may act.
Exit codes: 0 stopped, 1 can't listen, or Redis refuses it, 2 mistake in the settings.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(
        prog="python -m services.exporter",
        description=_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--config", metavar="FILE", help="settings file (default streamgauge.yaml)")
    parser.add_argument("--host", help="where to listen (default 127.0.0.1)")
    parser.add_argument("--port", type=int, help="0 takes a free one (default 9808)")
    options = parser.parse_args(arguments)
    try:
        settings = load_settings(
            config=options.config, exporter__host=options.host, exporter__port=options.port
        )
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    logging.basicConfig(
        level=settings.log.level.upper(),
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        stream=sys.stderr,
    )
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        exporter = Exporter(settings)
    except TokenError as error:
        print(error, file=sys.stderr)
        return 2
    except ValueError as error:
        print(f"STREAMGAUGE_REDIS__URL can't be used: {error}", file=sys.stderr)
        return 2
    try:
        check_access(settings, kafka=False)
        exporter.start()
    except (AccessRefused, PortInUse) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"exporter: {exporter.url}/ and {exporter.url}/metrics", file=sys.stderr, flush=True)
    # With a timeout, because a wait without one would not let the signal's handler run.
    while not stop.wait(1.0):
        pass
    exporter.stop()
    return 0
