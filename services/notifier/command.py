"""The notifier's command line: settings in, signals, exit codes."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
from collections.abc import Sequence

from services.notifier.app import Notifier
from services.notifier.sinks import ConfiguredSink, configured_sinks
from services.notifier.trial import try_all
from services.preflight import AccessRefused, check_access
from streamgauge.clock import system_clock
from streamgauge.exposition.http import PortInUse
from streamgauge.settings import Settings, SettingsError, load_settings

_HELP = """Brings alarms to people: reads the alarms topic, and sends each alarm to every sink, in
order, again where a sink fails, and once. Without a sink in the settings they go to the log here.

  notifier:                         in streamgauge.yaml
    sinks:
      - name: pager
        type: webhook               or: log
        url: https://hooks.example.com/streamgauge
        secret_file: /run/secrets/pager
        severity: warning           the least that goes there
        models: [fraud, "credit-*"]
        format: streamgauge         or: alertmanager

or STREAMGAUGE_NOTIFIER__SINKS__PAGER__URL, …__PAGER__TYPE, …; each is STREAMGAUGE_<SECTION>__<KEY>.
Exit codes: 0 stopped (--test: all took it), 1 can't listen, or Kafka or Redis refuses it
(--test: one did not), 2 mistake in the settings.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until SIGTERM or SIGINT, or send one test alarm."""
    parser = argparse.ArgumentParser(
        prog="python -m services.notifier",
        description=_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--config", metavar="FILE", help="settings file (default streamgauge.yaml)")
    parser.add_argument("--host", help="where to listen (default 127.0.0.1)")
    parser.add_argument("--port", type=int, help="0 takes a free one (default 9811)")
    parser.add_argument(
        "--test", action="store_true", help="send one test alarm to every sink, and end"
    )
    options = parser.parse_args(arguments)
    try:
        settings = load_settings(
            config=options.config, notifier__host=options.host, notifier__port=options.port
        )
        logging.basicConfig(
            level=settings.log.level.upper(),
            format="%(asctime)s %(levelname)s %(name)s: %(message)s",
            stream=sys.stderr,
        )
        sinks = configured_sinks(settings.notifier)
        if options.test:
            return 0 if asyncio.run(try_all(sinks, now=system_clock())) else 1
        check_access(settings)
        return asyncio.run(_run(settings, sinks))
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    except AccessRefused as error:
        print(error, file=sys.stderr)
        return 1


async def _run(settings: Settings, sinks: list[ConfiguredSink]) -> int:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    for one in sinks:
        if one.post is not None and one.settings.secret is None:
            logging.getLogger(__name__).warning(
                "sink %s is not signed, so its receiver can't tell our calls from others'; "
                "set its secret_file",
                one.name,
            )
    try:
        notifier = Notifier(settings, sinks)
    except ValueError as error:
        raise SettingsError(f"STREAMGAUGE_REDIS__URL can't be used: {error}") from None
    try:
        notifier.start()
    except PortInUse as error:
        print(error, file=sys.stderr)
        return 1
    names = ", ".join(f"{one.name} ({one.settings.type})" for one in sinks)
    print(f"notifier: {notifier.url}/readyz; sinks: {names}", file=sys.stderr, flush=True)
    await notifier.run(stop)
    return 0
