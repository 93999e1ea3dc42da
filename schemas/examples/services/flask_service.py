"""A service on Flask whose predictions are watched.

pip install flask gunicorn streamgauge-client
STREAMGAUGE_KAFKA__BOOTSTRAP_SERVERS=localhost:9092 gunicorn --preload --workers 4 flask_service:app

curl -i localhost:8000/translations --json '{"text": "Guten Morgen", "to": "en", "user": "u-1"}'
Each worker connects by itself, at its first prediction.
"""

from __future__ import annotations

from typing import Any

from flask import Flask, request

from streamgauge_client import Publisher, WSGIMiddleware

publisher = Publisher(model="translation", version="2.0.1", service="web")

app = Flask(__name__)
app.wsgi_app = WSGIMiddleware(app.wsgi_app, publisher=publisher)  # type: ignore[method-assign]


@app.post("/translations")
def translate() -> dict[str, Any]:
    """Translate a text. The text stays here; what is watched is its length."""
    asked = request.get_json()
    with publisher.prediction(
        features={"characters": len(asked["text"]), "to": asked["to"]},
        segment={"to": asked["to"]},
        interaction_id=request.headers.get("X-Session-Id"),
    ) as prediction:
        translation, confidence = asked["text"][::-1], 0.9  # your model, here
        prediction.output = confidence
    return {"id": prediction.prediction_id, "translation": translation}


@app.post("/translations/<prediction_id>/redo")
def redo(prediction_id: str) -> tuple[str, int]:
    """Its user was not content: often the earliest sign that something changed."""
    publisher.feedback(prediction_id, "redo")
    return "", 204
