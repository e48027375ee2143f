"""Runs the command line, and sends it the signal of Ctrl-C as it makes its Nth call of a Python function.

    python interrupted.py N WORD...

Where that call never comes, it is sent once the command rests. At its end it tells how many calls there were.
"""

import os
import signal
import sys
import threading
import time

from jupyter_mlws.cli.main import main

_RESTS_SECONDS, _RESTING_CALLS = 1.0, 3000  # what follows a job hears of it once a second
moment = int(sys.argv.pop(1))
calls = 0


def count(frame, event, argument):
    global calls
    calls += 1
    if calls == moment:
        sys.settrace(None)
        signal.raise_signal(signal.SIGINT)


def send_once_it_rests():
    before = -_RESTING_CALLS
    while calls - before >= _RESTING_CALLS:
        before = calls
        time.sleep(_RESTS_SECONDS)
    if calls < moment or not moment:
        os.kill(os.getpid(), signal.SIGINT)


threading.Thread(target=send_once_it_rests, daemon=True).start()
sys.settrace(count)
try:
    main()
finally:
    sys.settrace(None)
    print("calls:", calls, file=sys.stderr)
