"""The monitor hides column by column what the client hides value by value."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from streamgauge.batch.features import feature_columns
from streamgauge.monitor.private_columns import private_columns
from streamgauge_client.privacy import PrivacyPolicy

VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(-1000, 1000).map(float),
    st.sampled_from(["SE", "a@example.org", "h:0123456789abcdef", "18 – 65", "7", ""]),
    st.lists(st.floats(-5, 5), max_size=2),
)
RULES = st.sampled_from(
    ["keep", "drop", "hash", {"bucket": 10}, {"bucket": 0.1}, {"bucket": [0, 18, 65]}]
)


@given(rule=RULES, values=st.lists(VALUES, min_size=1, max_size=20))
def test_a_column_is_hidden_as_its_values_are(rule: Any, values: list[Any]) -> None:
    # Given events of one feature, one of which has it not at all
    events: list[dict[str, Any]] = [{"x": value} for value in values] + [{}]
    policy = PrivacyPolicy.of({"x": rule}, key=b"k")
    # When the column is hidden at once, and the events one by one
    hidden = private_columns(feature_columns(events, ["x"]), {"x": rule}, policy)["x"]
    alone = feature_columns([policy.apply(event) for event in events], ["x"])["x"]
    # Then nothing tells them apart
    assert hidden.kind.tolist() == alone.kind.tolist()
    assert repr(hidden.values.tolist()) == repr(alone.values.tolist())
    assert (hidden.categories or [None] * len(events)) == (alone.categories or [None] * len(events))
