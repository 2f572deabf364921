"""``python -m curator`` and the ``curator`` command: a verb, or a window on some folders.

Nothing heavy is imported at the top: every spawned worker imports this module again.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from typing import Any


def main(argv: Sequence[str] | None = None) -> int:
    """Run Curator and return the exit code: 0 done, 1 could not do it, 2 wrong usage."""
    if getattr(sys, "frozen", False):  # a worker of the bundle starts here and goes no further
        import multiprocessing

        multiprocessing.freeze_support()
    # Linear algebra on all cores waits for the slowest core, which is busy reading photos. On one
    # core taste learns from 1,000 ratings in 35 ms instead of 98, and tunes in 0.4 s instead of 10.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # By default pydantic reads what every installed package offers, 10 ms of each start.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    # What is imported and built first is no garbage, but looking for some took an eighth of a verb.
    # `cli` turns it on again once it knows the verb.
    gc.disable()
    from curator import cli

    return cli.main(sys.argv[1:] if argv is None else list(argv), _open_window, _bench)


def _open_window(*args: Any) -> int:
    # Nothing of what is imported and built first is garbage; looking for some took 100 ms. The
    # window turns it on again once it shows.
    gc.disable()
    from curator.ui import plain_import

    plain_import.restore()
    from curator import app

    return app.main(*args)


def _bench(*args: Any) -> int:
    from curator import bench

    return bench.main(*args)


if __name__ == "__main__":
    sys.exit(main())
