"""Examples of a spec's sections: the parts of the one file that says everything."""

from __future__ import annotations

import re

_KEY = re.compile(r"(?m)^(\w+):")


def examples(text: str) -> dict[str, str]:
    r"""The text of each top-level key, comments behind its values and all.

    >>> examples("# x\nmodel: fraud\n\nslo:\n  qps: 5  # at most\n")
    {'model': 'model: fraud', 'slo': 'slo:\n  qps: 5  # at most'}
    """
    starts = list(_KEY.finditer(text))
    ends = [found.start() for found in starts[1:]] + [len(text)]
    return {
        found[1]: _without_the_next(text[found.start() : end])
        for found, end in zip(starts, ends, strict=True)
    }


def _without_the_next(text: str) -> str:
    """Cut off the comment lines at the end: they are about what follows."""
    lines = text.rstrip().split("\n")
    while lines and (not lines[-1].strip() or lines[-1].startswith("#")):
        lines.pop()
    return "\n".join(lines)
