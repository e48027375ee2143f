"""`python -m jupyter_mlws.worker FOLDER`: runs the attempt whose `task.json` lies in FOLDER."""

from __future__ import annotations

import signal
import sys
from types import FrameType

_TAKEN = 3
_USAGE = 2


def main() -> int:
    """Run the attempt that the command line names; see `run`."""
    if len(sys.argv) != _USAGE:
        print("usage: python -m jupyter_mlws.worker FOLDER", file=sys.stderr)
        return _USAGE
    return run(sys.argv[1])


def run(folder: str) -> int:
    """Run the attempt; return 0 when it has its last event, whatever that is, and 3 when it is not ours."""
    # At once, so that no moment is left in which a signal would end us without a last event.
    signals: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        signals.append(number)

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, note)

    from pathlib import Path

    from jupyter_mlws.worker.attempt import work

    return 0 if work(Path(folder).absolute(), signals=signals) else _TAKEN


def warm_up() -> None:
    """What a forked process of this does while it waits for a folder to `run`."""
    from jupyter_mlws.worker.warming import warm_up

    warm_up()


if __name__ == "__main__":
    sys.exit(main())
