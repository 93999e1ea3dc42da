"""``python -m streamgauge.manual``: write the generated pages of ``docs/`` anew."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from streamgauge.manual.pages import stale


def main(arguments: Sequence[str] | None = None) -> int:
    """Write what is not fresh; with ``--check`` only say so, with exit code 1."""
    parser = argparse.ArgumentParser(prog="python -m streamgauge.manual", description=__doc__)
    parser.add_argument("checkout", nargs="?", type=Path, default=Path(), help="default: here")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if not fresh")
    options = parser.parse_args(arguments)
    try:
        pages = stale(options.checkout)
    except OSError as error:
        print(f"{error.filename}: {error.strerror}; give the checkout's top", file=sys.stderr)
        return 2
    for path, text in pages.items():
        if options.check:
            print(f"{path}: not fresh; run make docs", file=sys.stderr)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            print(f"docs: wrote {path}")
    return 1 if options.check and pages else 0


if __name__ == "__main__":
    sys.exit(main())
