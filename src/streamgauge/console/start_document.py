"""What to type first, with the addresses that are in use, while no model exists."""

from __future__ import annotations

from streamgauge.console.scene import Document, Place, Scene
from streamgauge_client.topics import DEFAULT_PREFIX


def start_document(scene: Scene) -> Document:
    """The screen by itself: also for those who have models, and want another."""
    return {
        **scene.head("start"),
        "start": get_started(scene.place),
        "models": len(scene.models),
    }


def get_started(place: Place) -> Document:
    """Two ways to publish a first prediction, ready to copy."""
    servers, prefix = place.bootstrap_servers, place.topic_prefix
    topics = "" if prefix == DEFAULT_PREFIX else f', topic_prefix="{prefix}"'
    python = (
        "from streamgauge_client import Publisher\n\n"
        f'pub = Publisher("{servers}", model="my-model", version="1"{topics})\n'
        'pub.log(features={"amount": 12.5, "country": "SE"}, output=0.93, latency_ms=4.1)\n'
        "pub.flush()"
    )
    event = (
        '{"prediction_id":"1","model":"my-model","version":"1","output":0.93,'
        '"features":{"amount":12.5}}'
    )
    shell = (
        f"echo 'my-model|{event}' \\\n"
        f"  | kcat -P -b {servers} -t {prefix}.predictions -K '|' -X partitioner=murmur2_random"
    )
    return {
        "text": (
            "No model has sent anything yet. Publish a first prediction and it appears here within "
            "a few seconds; nothing needs to be configured."
        ),
        "snippets": [
            {"what": "From Python", "install": "pip install streamgauge-client", "code": python},
            {"what": "From a shell", "install": None, "code": shell},
        ],
    }
