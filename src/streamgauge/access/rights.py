"""What Kafka says where an ACL is missing, in words that say which, and what to do."""

from __future__ import annotations

from typing import Any

from streamgauge.access.refusal import Refusal

REMEDY = "grant what deploy/security/kafka-acls lists for the service"
_WHAT = {
    "TopicAuthorizationFailedError": "use the topic",
    "TOPIC_AUTHORIZATION_FAILED": "use the topic",
    "GroupAuthorizationFailedError": "join the consumer group",
    "GROUP_AUTHORIZATION_FAILED": "join the consumer group",
    # Asked for by idempotent producers; Write on any topic includes it.
    "ClusterAuthorizationFailedError": "write to any topic",
    "CLUSTER_AUTHORIZATION_FAILED": "write to any topic",
}


def missing_right(error: object, name: str = "") -> Refusal | None:
    """Which right is missing; None where the error is another.

    Parameters
    ----------
    error
        aiokafka's exception, or confluent-kafka's ``KafkaError`` or ``KafkaException``.
    name
        Of the topic or the group, where the error does not tell.

    Examples
    --------
    >>> class TopicAuthorizationFailedError(Exception): ...
    >>> missing_right(TopicAuthorizationFailedError("streamgauge.alarms")).cause
    'we have no right to use the topic streamgauge.alarms'
    """
    inner: Any = error.args[0] if isinstance(error, Exception) and error.args else error
    code = inner.name() if callable(getattr(inner, "name", None)) else type(error).__name__
    if (what := _WHAT.get(code)) is None:
        return None
    if not name and inner is not error and not hasattr(inner, "code"):
        names = inner if isinstance(inner, set | list | tuple | frozenset) else [inner]
        name = ", ".join(sorted(str(each) for each in names))
    return Refusal(f"we have no right to {f'{what} {name}'.rstrip()}", REMEDY)
