"""A small prediction service over HTTP: the kind of service that Streamgauge watches.

Everything about it is ordinary; watching costs it the publisher and one ``with``. It answers with
the model that it was trained with, until a challenger is promoted: then with that.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
from dataclasses import asdict
from typing import Any

import orjson
from aiohttp import web
from redis.backoff import NoBackoff
from redis.retry import Retry

from services.stack.demo.classifier import AnomalyClassifier
from services.stack.demo.data import TRAINING, readings
from streamgauge.access.kafka import librdkafka_security
from streamgauge.access.redis import redis_client
from streamgauge.serving import ServedModel
from streamgauge.settings import load_settings
from streamgauge_client import Publisher

MODEL = "shuttle-anomaly"
VERSION = "1"
PUBLISHER = web.AppKey("publisher", Publisher)
SERVED = web.AppKey[ServedModel | None]("served")
CLASSIFIER = web.AppKey("classifier", AnomalyClassifier)


async def predict(request: web.Request) -> web.Response:
    features = orjson.loads(await request.read())
    version, lineage, output = answer(request.app, features)
    with request.app[PUBLISHER].prediction(
        features=features, version=version, lineage=lineage
    ) as prediction:
        prediction.output = output
    return _json({"prediction_id": prediction.prediction_id, "output": prediction.output})


def answer(
    app: web.Application, features: dict[str, Any]
) -> tuple[str, dict[str, str], dict[str, float]]:
    """The version that answers, its lineage, and the probability of each class.

    A version is what somebody decided for. That it learns on is no other version: the snapshot
    that answered is its lineage.
    """
    served = app[SERVED]
    if served is None or served.version is None:
        return VERSION, {}, app[CLASSIFIER].output(features)
    scores, snapshot, pipeline = served.ask_proba(features)
    said = {name: float(scores.get(name, 0.0)) for name in ("normal", "anomaly")}
    return pipeline, {"snapshot": str(snapshot)}, said


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
    app[PUBLISHER] = Publisher(
        model=MODEL,
        version=VERSION,
        service="demo-prediction-service",
        kafka=librdkafka_security(load_settings().kafka.security),
    )
    app.add_routes(
        [web.post("/predict", predict), web.get("/stats", stats), web.get("/readyz", readyz)]
    )
    app[SERVED] = _served()
    app.on_cleanup.append(_close_publisher)
    return app


def _served() -> ServedModel | None:
    """The champion of the registry, followed; None where no key says whose models are ours."""
    settings = load_settings()
    key = settings.state.key.get_secret_value().encode() if settings.state.key else b""
    if not key:
        return None
    # Short: while it waits, a rollback waits.
    redis = redis_client(
        settings.redis,
        socket_timeout=2.0,
        socket_connect_timeout=1.0,
        retry=Retry(NoBackoff(), 0),
    )
    return ServedModel(MODEL, redis=redis, key=key).start()


async def _close_publisher(app: web.Application) -> None:
    served = app[SERVED]
    if served is not None:
        await asyncio.to_thread(served.close)
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
