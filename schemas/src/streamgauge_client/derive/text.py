"""What can be counted in a text."""

from __future__ import annotations

from collections.abc import Container
from typing import Any


def text_features(
    name: str, text: str | None, *, vocabulary: Container[str] | None = None
) -> dict[str, Any]:
    """Length, words, emptiness and script of a text.

    ``.length`` counts characters, ``.words`` what white space separates, ``.empty`` is true for
    white space alone, ``.non_ascii_ratio`` is the share of characters outside of ASCII, which
    moves with the language. A missing text (None) has missing features: it is not an empty one.
    Raises ``ValueError`` for anything but text.

    Parameters
    ----------
    name
        The input's name, before the dot.
    vocabulary
        The words that the model knows, in lower case; gives ``.unknown_ratio``, the share of the
        others.

    Examples
    --------
    >>> text_features("title", "Grüße aus Genf", vocabulary={"aus", "genf"})["title.unknown_ratio"]
    0.3333333333333333
    """
    if text is None:
        names = ["length", "words", "empty", "non_ascii_ratio"]
        names += ["unknown_ratio"] if vocabulary is not None else []
        return {f"{name}.{feature}": None for feature in names}
    if not isinstance(text, str):
        remedy = "decode it first: text.decode()" if isinstance(text, bytes) else "give a str"
        raise ValueError(f"{name} is a {type(text).__name__}, no text; {remedy}")
    words = text.split()
    ascii_only = len(text) if text.isascii() else len(text.encode("ascii", "ignore"))
    features: dict[str, Any] = {
        f"{name}.length": len(text),
        f"{name}.words": len(words),
        f"{name}.empty": not words,
        f"{name}.non_ascii_ratio": (len(text) - ascii_only) / len(text) if text else 0.0,
    }
    if vocabulary is not None:
        unknown = sum(word.lower() not in vocabulary for word in words)
        features[f"{name}.unknown_ratio"] = unknown / len(words) if words else None
    return features
