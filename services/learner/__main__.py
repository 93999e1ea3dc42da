"""``python -m services.learner``."""

from __future__ import annotations

import sys

from services.learner.app import main

if __name__ == "__main__":
    sys.exit(main())
