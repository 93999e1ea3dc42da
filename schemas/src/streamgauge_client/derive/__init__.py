"""Features derived from unstructured inputs: text, images, sound.

A monitor can't look at pictures, but it can notice that they grew dark. Each function gives a
few numbers under names that begin with yours (``"photo.brightness"``), for ``features``:

>>> from streamgauge_client.derive import text_features
>>> text_features("comment", "very late again")
{'comment.length': 15, 'comment.words': 3, 'comment.empty': False, 'comment.non_ascii_ratio': 0.0}

They raise ``ValueError``, which says what to give instead. ``Publisher.derived`` calls them where
nothing may be raised: what can't be read is counted there, and gives no features.
"""

from __future__ import annotations

from streamgauge_client.derive.audio import audio_features
from streamgauge_client.derive.image import image_features
from streamgauge_client.derive.text import text_features

__all__ = ["audio_features", "image_features", "text_features"]
