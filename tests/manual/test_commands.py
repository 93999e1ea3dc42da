"""Every command of ``docs/`` is run, or checked, and one that nobody knows is a mistake."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from tests.manual.live import LIVE, lacking
from tests.manual.reading import DOCS, PAGES, ROOT, Block, blocks
from tests.manual.shell import Command, commands
from tests.manual.stage import CLEAN, Stage, staged
from tests.manual.still import STILL, module_is_there, module_of, unknown_option
from tests.missing import missing

COMMANDS = [each for page in PAGES for block in blocks(page, "sh") for each in commands(block)]
MODULES = sorted({module for each in COMMANDS if (module := module_of(each))})


def block(text: str) -> Block:
    return Block(DOCS / "page.md", 1, "sh", text)


def only(text: str) -> Command:
    (found,) = commands(block(text))
    return found


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with staged(tmp_path_factory.mktemp("stage")) as found:
        yield found


def test_the_pages_have_commands_of_every_kind() -> None:
    # Else a change of their form would make all of this pass by reading nothing
    assert {each.program for each in COMMANDS} >= {*LIVE, *STILL}
    assert len(COMMANDS) > 60


def test_no_command_is_of_a_program_that_nobody_knows() -> None:
    assert [str(each) for each in COMMANDS if each.program not in {*LIVE, *STILL}] == []


def test_what_is_not_run_is_right() -> None:
    wrong = [
        f"{each}\n    {problem}"
        for each in COMMANDS
        if each.program in STILL and not module_of(each) and (problem := STILL[each.program](each))
    ]
    assert not wrong, "\n".join(wrong)


#: Runs modules as ``python -m`` does, one after the other: what they import is imported once.
_HELP = """
import contextlib, io, json, runpy, sys
said = {}
for name in sys.argv[1:]:
    sys.argv, out = [name, "--help"], io.StringIO()
    with contextlib.redirect_stdout(out):
        try:
            runpy.run_module(name, run_name="__main__", alter_sys=True)
            code = "it did not end"
        except SystemExit as end:
            code = end.code
    said[name] = [code, out.getvalue()]
print(json.dumps(said))
"""


def test_every_module_says_how_it_is_used_and_has_the_options_of_the_pages() -> None:
    assert [name for name in MODULES if not module_is_there(name)] == []
    done = subprocess.run(
        [sys.executable, "-c", _HELP, *MODULES],
        cwd=ROOT,
        env=CLEAN,
        capture_output=True,
        text=True,
        check=True,
    )
    helped = json.loads(done.stdout)
    assert {name: code for name, (code, _) in helped.items() if code != 0} == {}
    used = [each for each in COMMANDS if module_of(each)]
    wrong = [(str(c), p) for c in used if (p := unknown_option(c, helped[module_of(c)][1]))]
    assert wrong == []


@pytest.mark.integration
def test_what_can_be_run_does_as_the_page_says(stage: Stage) -> None:
    # Given the embedded stack, and beside it the specs of each page
    wrong = []
    for page in PAGES:
        _write_specs(page, stage.directory)
        # When its commands are run in their order
        for each in COMMANDS:
            if each.place.startswith(f"{page.name}:") and each.program in LIVE:
                problem = "" if lacking(each.program) else LIVE[each.program](each, stage)
                if problem:
                    wrong.append(f"{each}\n    {problem}")
    # Then each of them does its work
    assert not wrong, "\n".join(wrong)
    _say_what_was_left_out(LIVE)


def _say_what_was_left_out(programs: Iterable[str]) -> None:
    """Whatever else was run, that not all of it was must show."""
    if lacked := sorted({lack for each in programs if (lack := lacking(each))}):
        missing(", ".join(lacked))


def _write_specs(page: Path, directory: Path) -> None:
    """The page's own spec of fraud, or the one that says everything."""
    own = [each.text for each in blocks(page, "yaml") if each.text.startswith("model: fraud\n")]
    text = own[0] if own else (ROOT / "deploy/specs/fraud.yaml").read_text(encoding="utf-8")
    (directory / "fraud.yaml").write_text(text, encoding="utf-8")


@pytest.mark.integration
def test_commands_that_are_wrong_are_noticed(stage: Stage) -> None:
    wrong = (
        "streamgauge explain nobody",
        "streamgauge explode",
        "streamgauge check missing.yaml",
        "curl localhost:9810/v2/events",
        "redis-cli NOSUCH",
        "redis-server --appendonly no --maxmemory-policy noeviction",
    )
    for command in map(only, wrong):
        assert lacking(command.program) or LIVE[command.program](command, stage), command
    _say_what_was_left_out(LIVE)


@pytest.mark.parametrize(
    "text",
    [
        "make nothing",
        "make demo NO_SUCH=1",
        "export STREAMGAUGE_KAFKA__SERVERS=x",
        "pip install ./nowhere",
        "pip install 'streamgauge[nothing]'",
        "python load_tests/nothing.py",
        "python load_tests/client_log.py --nothing",
        "echo '{}' | kcat -t streamgauge.labels -k m -X partitioner=murmur2_random",
        'echo \'{"prediction_id": "p"}\' | kcat -t streamgauge.labels',
        "kcat -t streamgauge.nothing",
    ],
)
def test_commands_that_are_wrong_are_noticed_without_a_stage(text: str) -> None:
    command = only(text)
    assert STILL[command.program](command)


def test_a_block_is_parted_as_a_shell_parts_it() -> None:
    # Given a block with comments, a continued line, a quoted text over two lines, a pipe
    text = """\
# a comment
make setup && make demo DEMO_SECONDS=5   # another
NAME=x curl -d '{"a":
  1}' \\
  localhost > out.txt
echo 'a | b' |
  kcat -P
"""
    # When it is read
    first, second, third, fourth = commands(block(text))
    # Then its commands are those that a shell would run
    assert (first.words, second.words) == (("make", "setup"), ("make", "demo", "DEMO_SECONDS=5"))
    assert third.words == ("curl", "-d", '{"a":\n  1}', "localhost")
    assert third.environment == {"NAME": "x"} and third.into == "out.txt"
    assert third.place == "page.md:3"
    assert fourth.words == ("kcat", "-P") and fourth.given is not None
    assert fourth.given.words == ("echo", "a | b")


def test_a_block_that_does_not_end_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="does not end"):
        list(commands(block("curl \\")))
