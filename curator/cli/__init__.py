"""The command line: the same verbs without a window, for scripts, tests and benchmarks.

    curator --home ./c ingest ~/Pictures/Iceland --json
    curator --home ./c photos --filter "is:picked rating:>=4"

Arguments that do not begin with a verb open the window on the folders named. A verb wins over a
folder of the same name; write ``./photos`` for the folder. Exit codes: 0 done, even if single
photos failed and are listed; 1 the command could not do its work; 2 wrong usage; 128 and the
signal's number if a signal ended it (130 Ctrl+C, 143 SIGTERM). Verbs that only read the
catalog load neither Qt nor a decoder.
"""

from __future__ import annotations

import gc
import logging
import os
import signal
import sys
from collections.abc import Callable, Sequence

from curator.cli.invocation import Invocation, refuse_network_home
from curator.cli.output import Output, encodable, shown, start_logging, stop_logging
from curator.cli.stopping import on_signal
from curator.cli.verbs import parse
from curator.home import Home
from curator.model import KnownError, Stopped, UsageError

log = logging.getLogger(__name__)


def main(
    argv: Sequence[str],
    open_window: Callable[..., int],
    run_bench: Callable[..., int],
) -> int:
    """Run a command line and return the exit code.

    Args:
        argv: the arguments without the program's name.
        open_window: called with home, settings and folders if there is no verb.
        run_bench: called with home, arguments and output for ``bench``. The caller passes both in,
            because this package may import neither the window nor the benchmarks.
    """
    output, home = Output("--json" in argv), Home.at()
    try:
        arguments = parse(argv)
        if not gc.isenabled():  # `curator.__main__` turned it off for the imports, which stay
            gc.freeze()
            gc.enable()
        home = Home.at(arguments.home)
        refuse_network_home(home)
        start_logging(home)
        invocation = Invocation(home, arguments, output, open_window, run_bench)
        with on_signal(), invocation:
            log.info("curator %s", shown(encodable(" ".join(argv))))
            return int(arguments.run(invocation) or 0)
    except KnownError as error:
        log.info("refused: %s", error)
        output.error(error)
        return 2 if isinstance(error, UsageError) else 1
    except BrokenPipeError:  # `curator photos | head`: the reader wants no more
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt as error:
        stopped = error if isinstance(error, Stopped) else Stopped(signal.SIGINT)
        log.info("stopped by signal %d", stopped.code - 128)
        output.error(KnownError("Stopped.", "Everything finished so far is saved."))
        return stopped.code
    except Exception as error:
        log.info("bug", exc_info=True)  # the user sees the one line below
        output.error(
            KnownError(
                f"Unexpected error in Curator ({error!r}).", f"The details are in {home.log}."
            )
        )
        return 1
    finally:
        stop_logging()
