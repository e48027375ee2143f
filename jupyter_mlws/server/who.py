"""Who a request is from, as the audit records it."""

from __future__ import annotations

import functools
import getpass
import os
import re
from typing import Any

# Jupyter gives everybody who logs in by token or password a random name of this form.
_ANONYMOUS = re.compile("[0-9a-f]{32}|anonymous")


def who_is(user: Any) -> str:
    """Return the name of Jupyter's `user` (`jupyter_server.auth.User`).

    Token and password logins are anonymous in Jupyter: whoever knows the token acts as the server's
    operating-system account, and that is the name then.
    """
    name = str(user.username)
    return account() if _ANONYMOUS.fullmatch(name) else name


@functools.cache
def account() -> str:
    """Return the name of the operating-system account that the server runs under, as it was at first."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        # A container may run under a number that has no name.
        return f"uid {os.getuid()}"
