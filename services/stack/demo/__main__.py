"""``python -m services.stack.demo``."""

from __future__ import annotations

from services.stack.demo.command import main

if __name__ == "__main__":
    raise SystemExit(main())
