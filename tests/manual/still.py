"""Commands that are checked without running them: each says what is wrong, or nothing."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable

from pydantic import ValidationError

from streamgauge.settings import Settings
from streamgauge_client.events import EVENTS
from streamgauge_client.topics import TOPICS
from tests.manual.reading import ROOT
from tests.manual.shell import Command

#: Of the client, which reads these besides the settings' own.
CLIENT_VARIABLES = {"STREAMGAUGE_DISABLED", "STREAMGAUGE_STRICT", "STREAMGAUGE_CONFIG"}


def variable_is_known(name: str) -> bool:
    """Whether a variable of the environment is read by anybody of ours."""
    section, _, key = name.removeprefix("STREAMGAUGE_").lower().partition("__")
    field = Settings.model_fields.get(section)
    if field is None or not key:
        return name in CLIENT_VARIABLES
    keys = getattr(field.annotation, "model_fields", {})
    # Sinks have names of their own between.
    return key.removesuffix("_file") in keys or key.split("__")[0] in keys


def export(command: Command) -> str:
    """``export NAME=value``."""
    name = command.words[1].partition("=")[0]
    return "" if variable_is_known(name) else f"nobody reads {name}"


def make(command: Command) -> str:
    """``make target VARIABLE=value``."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for word in command.words[1:]:
        name, equals, _ = word.partition("=")
        pattern = rf"(?m)^{name} \?=" if equals else rf"(?m)^{name}:"
        if not re.search(pattern, makefile):
            return f"the Makefile has no {'variable' if equals else 'target'} {name}"
    return ""


def pip(command: Command) -> str:
    """``pip install PATH`` or an extra of ours."""
    verb, *wanted = command.words[1:]
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]
    for each in wanted:
        extra = re.fullmatch(r"streamgauge\[(\w+)\]", each)
        there = extra[1] in extras if extra else (ROOT / each / "pyproject.toml").is_file()
        if verb != "install" or not there:
            return f"there is no {each} to install"
    return ""


def kcat(command: Command) -> str:
    """A record by hand: its topic, its partitioner, and what is echoed into it."""
    words = list(command.words)
    topics = {topic.under(): topic for topic in TOPICS}
    topic = topics.get(words[words.index("-t") + 1]) if "-t" in words else None
    if topic is None or topic.event is None:
        return "it names no topic that events are sent to"
    if "partitioner=murmur2_random" not in words or "-k" not in words:
        return "without the key and the murmur2 partitioner labels miss their predictions"
    if command.given is None or command.given.program != "echo":
        return "nothing is echoed into it"
    try:
        EVENTS[topic.event].model_validate_json(command.given.words[1])
    except ValidationError as error:
        return str(error)
    return ""


def script(command: Command) -> str:
    """``python load_tests/x.py --option``: the script is there and knows its options."""
    path = ROOT / command.words[1]
    if not path.is_file():
        return f"there is no {command.words[1]}"
    return unknown_option(command, path.read_text(encoding="utf-8"))


def unknown_option(command: Command, text: str) -> str:
    """The first option of a command that a text, a script or its help, does not have."""
    options = (word.partition("=")[0] for word in command.words if word.startswith("--"))
    return next((f"no option {each}" for each in options if each not in text), "")


def module_of(command: Command) -> str:
    """The module of ``python -m module``; empty for anything else."""
    words = command.words
    return words[2] if words[:2] == ("python", "-m") and len(words) > 2 else ""


def module_is_there(name: str) -> bool:
    path = ROOT.joinpath(*name.split("."))
    return (path / "__main__.py").is_file() or path.with_suffix(".py").is_file()


#: By program. What is run against the stage stands in ``live``.
STILL: dict[str, Callable[[Command], str]] = {
    "export": export,
    "make": make,
    "pip": pip,
    "kcat": kcat,
    "python": script,
}
