"""Whether Kafka is there."""

from __future__ import annotations

from streamgauge.cli.doctor.base import Check, Diagnosis, ok
from streamgauge.cli.doctor.site import Site


class KafkaReachable(Check, name="kafka"):
    """A broker of the bootstrap list answers, and tells of a controller."""

    place = 10

    def look(self, site: Site) -> Diagnosis:
        servers = site.settings.kafka.bootstrap_servers
        brokers = len(site.metadata.brokers)
        kind = "librdkafka's embedded broker, all in memory" if site.embedded else "answers"
        return ok(f"{servers}: {kind}; {brokers} broker{'s' if brokers != 1 else ''}")
