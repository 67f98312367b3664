"""Exit codes of the command line, and which error ends with which.

=====  ==========================================================================
0      good
1      it ran and failed: a task failed, a record could not be processed
2      a connector's or the worker's settings are wrong
3      the surroundings: a service does not answer, a file or port cannot be used
128+n  ended by signal n
=====  ==========================================================================
"""

from __future__ import annotations

import signal
from enum import IntEnum

from worker.errors import ConfigError, RetriableError

_SIGNALLED = 128


class ExitCode(IntEnum):
    """What the command line returns; ``signal_exit`` has the others."""

    OK = 0
    RUNTIME = 1
    CONFIG = 2
    ENVIRONMENT = 3


def exit_code(error: BaseException) -> int:
    """The exit code for an error that ended a command.

    An error that nobody foresaw is a runtime error.
    """
    if isinstance(error, KeyboardInterrupt):
        return signal_exit(signal.SIGINT)
    if isinstance(error, ConfigError):
        return ExitCode.CONFIG
    if isinstance(error, (RetriableError, OSError)):
        return ExitCode.ENVIRONMENT
    return ExitCode.RUNTIME


def signal_exit(signum: int) -> int:
    """The exit code of a process that ended because of this signal, as shells have it."""
    return _SIGNALLED + signum
