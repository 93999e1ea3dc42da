"""Whether the addresses that the brokers advertise can be reached."""

from __future__ import annotations

import socket
import threading
import time

from streamgauge.cli.doctor.base import Check, Diagnosis, ok, some
from streamgauge.cli.doctor.site import Site

_SECONDS = 4.0
_LOOPBACK = ("localhost", "127.", "::1", "[::1]")


class Listeners(Check, name="listeners"):
    """Every broker is asked at its advertised address, because that is where clients go.

    The bootstrap address may work and nothing else: the classic mistake with containers.
    """

    place = 20
    needs = ("kafka",)

    def look(self, site: Site) -> Diagnosis:
        brokers = {f"{each.host}:{each.port}": each for each in site.metadata.brokers.values()}
        failed: dict[str, str] = {}
        waiting = set(brokers)

        def knock(address: str, host: str, port: int) -> None:
            try:
                socket.create_connection((host, port), timeout=_SECONDS - 1.0).close()
            except OSError as error:
                failed[address] = str(error.strerror or error)
            waiting.discard(address)

        for address, each in brokers.items():
            # A name server may take its time, and there may be many brokers.
            threading.Thread(
                target=knock, args=(address, each.host, each.port), daemon=True
            ).start()
        deadline = time.monotonic() + _SECONDS
        while waiting and time.monotonic() < deadline:
            time.sleep(0.02)
        failed |= dict.fromkeys(waiting, "no answer")
        if failed:
            listed = some([f"{address} ({why})" for address, why in sorted(failed.items())])
            return Diagnosis(
                "problem",
                f"{len(failed)} of {len(brokers)} brokers advertise what can't be reached from"
                f" here: {listed}",
                "set advertised.listeners of the brokers to addresses that clients reach",
                unreachable=True,
            )
        bootstrap = site.settings.kafka.bootstrap_servers
        inward = [address for address in brokers if address.startswith(_LOOPBACK)]
        if inward and not all(server.startswith(_LOOPBACK) for server in bootstrap.split(",")):
            return Diagnosis(
                "problem",
                f"brokers advertise {some(inward)}, so that clients on other machines would look"
                " for them at home",
                "set advertised.listeners of the brokers to addresses that clients reach",
            )
        return ok(f"all {len(brokers)} advertised addresses can be reached")
