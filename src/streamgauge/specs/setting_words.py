"""A setting's value in words, as a person would write it."""

from __future__ import annotations

from streamgauge.specs.accepted import AcceptedSpec
from streamgauge.specs.base import SpecPart
from streamgauge.specs.rules import RuleSpec
from streamgauge.specs.scalars import show_duration

_DURATIONS = (
    *("pane", "min_duration", "max_duration", "grace"),
    *("expected", "max", "implicit_negative_after", "silence_after"),
    *("cooldown", "give_up_after", "every", "max_age"),
)
#: What holds where nobody says anything, by the last key.
_OPEN = {
    "type": "inferred",
    "min_effect": "half a standard deviation of shift",
    "null_max": "what is usual, learned",
    "low_confidence_max": "no limit, shown only",
    "behaviour": "what is usual, learned",
    "steps": "in the order in which they come",
    "silence_after": "learned for each hour of the day",
}


def setting_words(name: str, value: object) -> str:
    """Say a value; ``name`` is the setting's, with dots, because durations look like numbers.

    >>> setting_words("defaults.pane", 90.0), setting_words("silence_after", None)
    ('90s', 'learned for each hour of the day')
    >>> setting_words("watch.lint", False), setting_words("output.range", (0.0, 1.0))
    ('no', '0, 1')
    """
    last = name.rsplit(".", 1)[-1]
    if value is None or value == [] or value == ():
        return _OPEN.get(last, "none")
    if isinstance(value, bool):
        return "yes" if value else "no"
    if last in _DURATIONS and isinstance(value, float):
        return show_duration(value)
    if isinstance(value, AcceptedSpec):
        return value.words()
    if isinstance(value, RuleSpec):
        most = f"at most {100 * value.max_ratio:g} % break it" if value.max_ratio else "always"
        return f"{value.check} ({most}, {value.severity})"
    if isinstance(value, SpecPart):
        said = {
            info.alias or key: getattr(value, key)
            for key, info in type(value).model_fields.items()
            if key in value.model_fields_set
        }
        return ", ".join(f"{key} {setting_words(key, each)}" for key, each in said.items())
    if isinstance(value, dict):
        return ", ".join(f"{key} {setting_words('', each)}" for key, each in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(setting_words("", item) for item in value)
    return f"{value:g}" if isinstance(value, float) else str(value)
