"""Lines of a text file with their numbers, decoded, with progress told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from streamgauge.cli.failures import CommandFailed

#: Told the bytes read so far.
Progress = Callable[[int], None]

#: Longest line. Longer ones are not a table.
_MAX_LINE = 16 * 1024 * 1024


def wrong_line(path: Path, line: int, message: str, hint: str) -> CommandFailed:
    """A failure that names the file and the line."""
    return CommandFailed(f"{path}:{line}: {message}", hint)


def numbered_lines(path: Path, progress: Progress) -> Iterator[tuple[int, str]]:
    """The lines from number 1 on. Raises ``CommandFailed`` where one can't be read."""
    done = 0
    try:
        with path.open("rb") as file:
            number = 0
            while data := file.readline(_MAX_LINE):
                number += 1
                if not number % 1000:
                    progress(done)
                done += len(data)
                if len(data) == _MAX_LINE:
                    raise wrong_line(path, number, "a line of 16 MiB or more", "one row per line")
                try:
                    text = data.decode("utf-8-sig" if number == 1 else "utf-8")
                except UnicodeDecodeError:
                    raise wrong_line(path, number, "not UTF-8", "save the file as UTF-8") from None
                yield number, text
    except OSError as error:
        raise CommandFailed(f"can't read {path}: {error.strerror}") from error
    progress(done)
