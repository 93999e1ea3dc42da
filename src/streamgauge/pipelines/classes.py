"""The classes of a classifier: labels as texts outside, small codes inside."""

from __future__ import annotations

import json
from typing import Any

from streamgauge.pipelines.encoding import as_word

MOST_CLASSES = 100
_LONGEST = 200
_POSITIVE = ("true", "1")


class Classes:
    """Codes of labels, in the order of their coming.

    Estimators never see a label's text. River keeps classes in sets, and a set of texts has another
    order in every process, which shows in ties and in a model's bytes; small numbers have not.

    Two-class tasks use False and True, as River's binary estimators want. True is the label that
    says yes (``true``, ``1``), else the second to come.
    """

    def __init__(self, *, binary: bool) -> None:
        self._binary = binary
        self._codes: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._codes)

    def learn(self, truth: object) -> int | None:
        """A label's code; a new label gets one while there is room, else None."""
        word = as_word(truth)
        if word is None:
            return None
        code = self._codes.get(word)
        return self._add(word) if code is None else code

    def code(self, label: str) -> int | None:
        """The code of a label that is known."""
        return self._codes.get(label)

    def label(self, code: int) -> str:
        """A code's label; before labels came, what yes and no are called."""
        for word, each in self._codes.items():
            if each == code:
                return word
        if self._binary:
            for word in self._codes:
                if word in ("0", "1"):
                    return "1" if code else "0"
            return "true" if code else "false"
        return str(code)

    def labels(self) -> dict[int, str]:
        """All known, by code."""
        if self._binary:
            return {False: self.label(False), True: self.label(True)}
        return {code: word for word, code in self._codes.items()}

    def _add(self, word: str) -> int | None:
        if len(self._codes) >= (2 if self._binary else MOST_CLASSES) or len(word) > _LONGEST:
            return None
        code: int
        if self._binary:
            taken = next(iter(self._codes.values()), None)
            code = word in _POSITIVE if taken is None else not taken
        else:
            code = len(self._codes)
        self._codes[word] = code
        return code

    def state(self) -> list[Any]:
        # As one text: a label may be one object with anybody's texts, see ``Inputs._meet``.
        return [self._binary, json.dumps(self._codes)]

    @classmethod
    def from_state(cls, state: list[Any]) -> Classes:
        made = cls(binary=state[0])
        made._codes = {
            word: bool(code) if made._binary else code
            for word, code in json.loads(state[1]).items()
        }
        return made
