"""``python -m services.exporter``."""

from __future__ import annotations

from services.exporter.command import main

if __name__ == "__main__":
    raise SystemExit(main())
