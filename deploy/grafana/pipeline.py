"""Ourselves: whether events come through in time, and what Kafka and Redis have to do with it."""

from __future__ import annotations

from grafana_foundation_sdk.models.dashboard import Dashboard

from deploy.grafana import links, pipeline_services, pipeline_stores, variables
from deploy.grafana.page import page
from deploy.grafana.panels import Panel, number
from deploy.grafana.queries import or_zero

AGE = "streamgauge_event_age_seconds"
DEAD = "streamgauge_dead_letters_total"
LAG = "streamgauge_consumer_lag_records"


def dashboard() -> Dashboard:
    """Pipeline health."""
    return page(
        links.PIPELINE,
        "Pipeline health",
        "Streamgauge itself: rate, errors and duration of each service; Kafka and Redis.",
        variables=[
            variables.several(
                "service",
                "Services of Streamgauge.",
                metric="streamgauge_build_info",
                label="service",
            )
        ],
        rows=[
            ("Is it all right?", _well()),
            ("Rate, errors, duration: monitor and learner", pipeline_services.workers()),
            ("Rate, errors, duration: ingest, notifier, exporter", pipeline_services.edges()),
            ("Kafka", pipeline_stores.kafka()),
            ("Redis and what is durable", pipeline_stores.redis()),
            ("Saturation", pipeline_stores.saturation()),
        ],
    )


def _well() -> list[Panel]:
    return [
        number(
            "Services",
            "Processes that report themselves.",
            "sum(streamgauge_process_up)",
            unit="short",
        ),
        number(
            "Event age",
            "Age of the newest record that was taken, of the partition that is furthest behind:"
            " the end-to-end promise.",
            f"max({AGE})",
            unit="s",
            turns={10: "orange", 60: "red"},
        ),
        number(
            "Lag",
            "Records in the log that were not yet taken, over all services.",
            f"sum({LAG})",
            unit="short",
        ),
        number(
            "Dead letters",
            "Records that could not be taken, in the last hour.",
            or_zero(f"sum(increase({DEAD}[1h]))"),
            unit="short",
            turns={1: "orange"},
        ),
        number(
            "Records astray",
            "Positions advanced less everything counted, of the worst partition. Anything but 0"
            " is a record gone astray.",
            "max(abs(streamgauge_conservation_difference))",
            unit="short",
            turns={1: "red"},
        ),
        number(
            "Redis and Kafka",
            "1 while Redis answers the exporter and Kafka answers the ingest service, else 0.",
            "min(streamgauge_redis_up) * (min(streamgauge_ingest_kafka_up) or vector(1))",
            unit="short",
            turns={1: "green"},
            below="red",
        ),
    ]
