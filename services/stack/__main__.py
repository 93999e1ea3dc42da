"""``python -m services.stack``."""

from __future__ import annotations

from services.stack.command import main

if __name__ == "__main__":
    raise SystemExit(main())
