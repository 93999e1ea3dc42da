"""Names and texts that came from events, made fit for a screen, and the keys that links carry."""

from __future__ import annotations

import hashlib
import shlex

#: Longest name on a screen, in characters.
MOST_CHARACTERS = 80
#: Longest sentence.
MOST_TEXT = 500
_DIGEST_BYTES = 12


def shown(name: str, most: int = MOST_CHARACTERS) -> str:
    r"""A name cut, and without signs that steer the text around it.

    It is data still: whoever puts it into a page must not take it for markup.

    >>> shown("amount"), shown("abcdef", 3), ascii(shown("a\u202eb"))
    ('amount', 'abc…', "'a\\ufffdb'")
    """
    short = name if len(name) <= most else f"{name[:most]}…"
    return "".join(c if c.isprintable() else "\ufffd" for c in short)


def said(text: str) -> str:
    """A sentence that holds such names."""
    return shown(text, MOST_TEXT)


def key_of(name: str) -> str:
    r"""What an address calls it: the name, or a digest where the name is no good to read.

    >>> key_of("fraud")
    'fraud'
    >>> key_of("fraud\n").startswith("~")
    True
    """
    if name == shown(name) and name.strip() and not name.startswith("~"):
        return name
    return "~" + _digest(name)


def command(*words: str) -> str | None:
    """A shell's command line; None where a word could not be typed.

    >>> print(command("streamgauge", "explain", "my model"))
    streamgauge explain 'my model'
    """
    if any(word != shown(word, MOST_TEXT) for word in words):
        return None
    return shlex.join(words)


def _digest(name: str) -> str:
    data = name.encode(errors="surrogatepass")
    return hashlib.blake2b(data, digest_size=_DIGEST_BYTES).hexdigest()
