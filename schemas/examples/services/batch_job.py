"""A nightly job that scores a file of customers and publishes what the model saw and said.

    python batch_job.py customers.parquet scores.csv

The lines about Streamgauge are those with ``publisher``; the rest is any job.
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import pandas as pd

from streamgauge_client import Publisher

logger = logging.getLogger("batch_job")


class ChurnModel:
    """Stands for the model that you load: one row in, a probability for each class out."""

    version = "2.1.0"

    def predict_proba(self, customers: pd.DataFrame) -> pd.DataFrame:
        """Columns ``leaves`` and ``stays``."""
        missing_is_new = customers["months"].fillna(0)
        leaves = 1 / (1 + (missing_is_new / 12) ** 2 + customers["visits"].fillna(0) / 10)
        return pd.DataFrame({"leaves": leaves, "stays": 1 - leaves})


def main(source: Path, target: Path) -> int:
    """Score ``source`` into ``target``. Returns the process' exit code."""
    customers = pd.read_parquet(source) if source.suffix == ".parquet" else pd.read_csv(source)
    model = ChurnModel()
    probabilities = model.predict_proba(customers)

    # A job can wait for room in the queue; a service would rather lose an event.
    with Publisher(
        model="churn", version=model.version, service="nightly", on_full="block", block_timeout=60
    ) as publisher:
        # All columns that get no other meaning here are features.
        ids = publisher.log_batch(
            customers,
            prediction_id="customer_id",
            segment=["country"],
            output=probabilities,
            tags={"job": "nightly", "source": source.name},
        )
        undelivered = publisher.flush(timeout=60)
        stats = publisher.stats()

    customers[["customer_id"]].join(probabilities).to_csv(target, index=False)
    logger.info("%d scored, %d messages to Kafka", len(ids), stats.delivered)
    if undelivered or stats.dropped or stats.failed:
        # What is watched must not fail for the watching: the scores are written all the same.
        logger.warning("not all was published: %s", stats)
    return 0


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
