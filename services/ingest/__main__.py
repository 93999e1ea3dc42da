"""``python -m services.ingest``."""

from __future__ import annotations

from services.ingest.command import main

if __name__ == "__main__":
    raise SystemExit(main())
