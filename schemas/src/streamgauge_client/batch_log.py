"""What a model saw and said: many predictions at once, from a frame or from columns."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from streamgauge_client.guard import Guard
from streamgauge_client.request_scope import MAX_PREDICTION_IDS, current_request
from streamgauge_client.sampling import Sampling
from streamgauge_client.sending import Sender

if TYPE_CHECKING:
    from streamgauge_client.privacy import PrivacyPolicy


class BatchLog:
    """The part of a publisher that publishes predictions by the thousand."""

    def __init__(
        self, sender: Sender, *, sampling: Sampling | None, privacy: PrivacyPolicy | None
    ) -> None:
        self._sender = sender
        self._sampling = sampling
        self._privacy = privacy
        self._batch_guard = Guard(sender, "prediction_batch")

    def log_batch(
        self,
        frame: Any = None,
        *,
        features: Any = None,
        output: Any = None,
        prediction_id: Any = None,
        timestamp: Any = None,
        latency_ms: Any = None,
        status: Any = "ok",
        segment: Any = None,
        version: str | None = None,
        step: str | None = None,
        variant: str | None = None,
        lineage: Mapping[str, str] | None = None,
        tags: Mapping[str, str] | None = None,
        parent_id: Any = None,
        entity_id: Any = None,
        interaction_id: Any = None,
        sampled: bool = False,
    ) -> list[str]:
        """Publish a prediction a row, in few messages. Returns the rows' ids, in their order.

        A frame is a DataFrame of pandas, polars, pyarrow, narwhals or anything else that speaks
        Arrow's protocol, or columns by name. Where an argument is about a column, give its name
        in the frame, or the column itself. What has no other meaning is a feature.

        A frame without rows is nothing wrong: nothing is sent and nothing counted. A frame that
        can't be taken (columns of different length or of one name, objects that JSON cannot
        hold) is dropped as one ``invalid`` or ``unencodable`` event, and the list is empty. NaN,
        NaT and NA become null, which is counted once a column. ``sent`` counts messages, which
        hold up to 5,000 rows and 900 KiB each. A job that publishes millions of rows makes its
        publisher with ``on_full="block"``, since it is faster than Kafka.

        Parameters
        ----------
        features
            Names of columns, or a frame or columns of their own. Default: all columns of the
            frame that no other argument names.
        output
            A column of numbers, classes or vectors; ``{"label": …, "score": …, "scores": {…}}``;
            or a column of probabilities for each class, ``{"fraud": …, "fine": …}``.
        prediction_id
            A column without gaps. Default: new ids.
        timestamp, latency_ms, status
            A column, or one value for all rows; ``timestamp`` by default now.
        segment
            Names of columns, or ``{name: …}`` with a column or one text for all rows.
        version, step, variant, lineage, tags
            One for all rows.
        parent_id, entity_id, interaction_id
            Columns.
        sampled
            True leaves rows out by the publisher's ``sample_rate`` too; whoever has a whole batch
            at hand seldom has a reason to.
        """
        # Imported here: services that log one by one need none of it.
        from streamgauge_client.batch_document import batch_document
        from streamgauge_client.batch_messages import send_in_messages

        ids: list[str] = []
        with self._batch_guard:
            envelope, counters = self._sender.begin()
            given = {
                "features": features,
                "output": output,
                "prediction_id": prediction_id,
                "timestamp": timestamp,
                "latency_ms": latency_ms,
                "status": status,
                "segment": segment,
                "version": envelope.version if version is None else version,
                "step": step,
                "variant": variant,
                "lineage": lineage,
                "tags": tags,
                "parent_id": parent_id,
                "entity_id": entity_id,
                "interaction_id": interaction_id,
            }
            document = batch_document(
                frame, given, counters, model=envelope.model, privacy=self._privacy
            )
            if document is None:
                return ids
            ids = document["prediction_id"]
            send_in_messages(
                document,
                envelope.shards,
                send=partial(self._sender.send_value, envelope.batches),
                guard=self._batch_guard,
                sampling=self._sampling if sampled else None,
                counters=counters,
            )
            if (request := current_request.get()) is not None:
                for one in ids[:MAX_PREDICTION_IDS]:
                    request.note(one)
        return list(ids)
