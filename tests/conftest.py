"""What every suite shares: the fixtures of `fixtures/`, by theme, and how Ctrl-C is heard."""

from __future__ import annotations

import signal

pytest_plugins = [
    "tests.fixtures.place",
    "tests.fixtures.waiting",
    "tests.fixtures.servers",
    "tests.fixtures.browser",
]


def pytest_configure() -> None:
    """Let Ctrl-C be heard: under a shell in the background it is ignored, by all that the tests start too."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
