"""``python -m services.notifier``."""

from __future__ import annotations

from services.notifier.command import main

if __name__ == "__main__":
    raise SystemExit(main())
