"""A small prediction service over HTTP: the kind of service that Streamgauge watches.

Everything about it is ordinary; watching costs it the publisher and one ``with``.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
from dataclasses import asdict

import orjson
from aiohttp import web

from services.stack.demo.classifier import AnomalyClassifier
from services.stack.demo.data import TRAINING, readings
from streamgauge_client import Publisher

MODEL = "shuttle-anomaly"
VERSION = "1"
PUBLISHER = web.AppKey("publisher", Publisher)
CLASSIFIER = web.AppKey("classifier", AnomalyClassifier)


async def predict(request: web.Request) -> web.Response:
    features = orjson.loads(await request.read())
    with request.app[PUBLISHER].prediction(features=features) as prediction:
        prediction.output = request.app[CLASSIFIER].output(features)
    return _json({"prediction_id": prediction.prediction_id, "output": prediction.output})


async def stats(request: web.Request) -> web.Response:
    # In a thread, because flushing waits for the broker.
    publisher = request.app[PUBLISHER]
    await asyncio.to_thread(publisher.flush, timeout=5.0)
    return _json(asdict(publisher.stats()))


async def readyz(request: web.Request) -> web.Response:
    return web.Response(text="ok\n")


def application() -> web.Application:
    """The service, its model trained."""
    app = web.Application()
    app[CLASSIFIER] = AnomalyClassifier(readings()[:TRAINING])
    app[PUBLISHER] = Publisher(model=MODEL, version=VERSION, service="demo-prediction-service")
    app.add_routes(
        [web.post("/predict", predict), web.get("/stats", stats), web.get("/readyz", readyz)]
    )
    app.on_cleanup.append(_close_publisher)
    return app


async def _close_publisher(app: web.Application) -> None:
    await asyncio.to_thread(app[PUBLISHER].close)


def _json(content: object) -> web.Response:
    return web.Response(body=orjson.dumps(content), content_type="application/json")


def main() -> None:
    """``python -m services.stack.demo.prediction_service --port 9810``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    options = parser.parse_args()
    logging.basicConfig(level=os.environ.get("STREAMGAUGE_LOG__LEVEL", "info").upper())
    web.run_app(
        application(), host="127.0.0.1", port=options.port, access_log=None, print=lambda *_: None
    )


if __name__ == "__main__":
    main()
