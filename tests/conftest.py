"""What every suite shares: the fixtures of `fixtures/`, how Ctrl-C is heard, how long answers may take."""

from __future__ import annotations

import inspect
import signal

import httpx

pytest_plugins = [
    "tests.fixtures.place",
    "tests.fixtures.waiting",
    "tests.fixtures.servers",
    "tests.fixtures.browser",
]


def pytest_configure() -> None:
    """Let Ctrl-C be heard: under a shell in the background it is ignored, by all that the tests start too.

    And wait for answers as long as it takes a busy machine to give them: MLflow may have to start first.
    """
    patience = inspect.signature(httpx.get).parameters["timeout"].default  # that of all clients
    patience.connect = patience.read = patience.write = patience.pool = 60.0
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
