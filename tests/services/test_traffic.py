"""The traffic of the compose file's profiles. That it flows is seen in tests/deploy."""

from __future__ import annotations

import pytest

from services.stack import load
from services.stack.demo import traffic
from services.stack.demo.pace import Paced
from services.stack.demo.story import Story
from services.stack.ports import free_port
from streamgauge_client import Publisher


class Stumbling(Paced):
    def step(self, index: int, elapsed: float) -> None:
        raise OSError("the connection broke")


def stumbled() -> Stumbling:
    model = Stumbling("demo-client", rate=100.0)
    model.start()
    model.join(timeout=10)
    return model


def loaded() -> load.LoadedModel:
    """A model whose Kafka is not there."""
    publisher = Publisher(f"127.0.0.1:{free_port()}", model="load-0", version="1", heartbeat=False)
    return load.LoadedModel(publisher, rate=100.0, seed=0)


def test_a_model_that_stops_ends_the_traffic_and_is_named(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(RuntimeError, match="demo-client failed: the connection broke"):
        traffic.watch([stumbled()], Story(90.0))
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("seconds", ["0", "nan", "inf"])
def test_a_story_has_a_length(seconds: str) -> None:
    with pytest.raises(SystemExit) as ended:
        traffic.main(["--seconds", seconds])
    assert ended.value.code == 2


def test_the_length_comes_from_the_environment_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEMO_SECONDS", "0")
    with pytest.raises(SystemExit):
        traffic.main([])


@pytest.mark.parametrize("arguments", [["--rate", "0"], ["--rate", "inf"], ["--models", "0"]])
def test_a_load_has_a_rate_and_models(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        load.main(arguments)
    assert ended.value.code == 2


def test_a_load_is_not_ready_before_something_was_delivered(
    capsys: pytest.CaptureFixture[str],
) -> None:
    model = loaded()
    model.step(0, 0.0)
    assert load.unready([model]) == "Kafka has acknowledged nothing yet"
    load.say([model])
    assert capsys.readouterr().out == "load: 0 delivered, 1 wait, 0 lost\n"
    # And where a model stopped, that is said
    model.failure = OSError("no more")
    assert load.unready([model]) == "load-0 stopped"
    with pytest.raises(RuntimeError, match="load-0 failed: no more"):
        load.say([model])
    model.stop()
