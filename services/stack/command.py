"""The command ``python -m services.stack``: start everything, say where it is, wait."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence

from services.stack.app import Stack, stop_on_sigterm
from services.stack.reach import Unreachable
from services.stack.supervisor import ServiceFailed
from streamgauge.settings import SettingsError, load_settings

DESCRIPTION = """\
Run all of Streamgauge on this machine, until Ctrl-C.

  Kafka   yours where STREAMGAUGE_KAFKA__BOOTSTRAP_SERVERS is set (missing topics are created),
          else an embedded broker: in memory, gone at exit.
  Redis   yours where STREAMGAUGE_REDIS__URL is set, else a redis-server or valkey-server found on
          PATH in a temporary directory, else fakeredis. Embedded, it is gone at exit too.
  beside  services.monitor (port 9809), services.exporter (port 9808, /metrics), services.ingest
          (port 9810, POST /v1/events), services.notifier (port 9811; alarms to the sinks of the
          settings, else to its log) and services.learner (port 9812; with STREAMGAUGE_STATE__KEY,
          else with a key that is made once and kept in ~/.local/state/streamgauge/state.key), each
          a process of its own; one that crashes is started again.

Every setting can be given as STREAMGAUGE_<SECTION>__<KEY>, in .env or in streamgauge.yaml, e.g.
  STREAMGAUGE_EXPORTER__PORT=9908     STREAMGAUGE_MONITORING__PANE_SECONDS=1
"""
EPILOG = """\
exit codes: 0 stopped when told to, 1 a service failed to start, 2 a mistake in the settings,
3 something needed is not there (Kafka, Redis, a free port)
example: STREAMGAUGE_KAFKA__BOOTSTRAP_SERVERS=localhost:9092 python -m services.stack
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until told to stop; the answer is the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m services.stack",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--config", metavar="FILE", help="settings file (default streamgauge.yaml)")
    options = parser.parse_args(arguments)
    stop_on_sigterm()
    told = {"STREAMGAUGE_CONFIG": options.config} if options.config else {}
    try:
        settings = load_settings(config=options.config)
        with Stack(settings, say=say, environment=told) as stack:
            introduce(stack)
            while True:
                # Not an Event: an exception raised by a signal in its wait can leave it broken.
                signal.pause()
    except KeyboardInterrupt:
        say("stopped")
        return 0
    except SettingsError as error:
        return fail(str(error), 2)
    except Unreachable as error:
        return fail(str(error), 3)
    except (ServiceFailed, RuntimeError) as error:
        return fail(str(error), 1)
    return 0


def introduce(stack: Stack) -> None:
    """Say where things are, and what will be gone."""
    say(f"Kafka    {stack.bootstrap_servers}")
    say(f"Redis    {stack.shown_redis}")
    say(f"console  {stack.page_url}")
    say(f"metrics  {stack.metrics_url}")
    say(f"post to  {stack.ingest_url}")
    for what in stack.volatile:
        say(f"in memory only, gone at exit: {what}")
    say("publish to it: see README.md, or python -m services.stack.demo; Ctrl-C stops everything")


def say(sentence: str) -> None:
    """One line on standard output, at once also into a pipe."""
    print(f"stack: {sentence}", flush=True)


def fail(text: str, code: int) -> int:
    """Say what is wrong on standard error."""
    print(f"stack: {text}", file=sys.stderr, flush=True)
    return code
