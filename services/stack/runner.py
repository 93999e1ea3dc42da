"""Run a module as a process that ends when its parent does, however the parent ended."""

from __future__ import annotations

import os
import runpy
import signal
import sys
import threading
import time

#: How long a process may take to end itself after its parent has gone.
GRACE_SECONDS = 8.0


def main() -> None:
    """``python -m services.stack.runner services.monitor [argument…]``."""
    module, *arguments = sys.argv[1:]
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _end_with(parent: int) -> None:
    # Polled, because the kernel's parent-death signal is Linux alone and tied to one thread.
    while os.getppid() == parent:
        time.sleep(0.25)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_SECONDS)
    os._exit(1)


if __name__ == "__main__":
    main()
