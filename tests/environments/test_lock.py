from __future__ import annotations

import sys

import pytest

from jupyter_mlws.environments.lock import InterpreterBroken, Lock, read_lock


async def test_the_lock_of_this_interpreter_holds_what_is_installed() -> None:
    lock = await read_lock(sys.executable)
    assert lock.python.startswith(f"{sys.version_info.major}.{sys.version_info.minor}.")
    assert any(line.startswith("pytest==") for line in lock.packages)


async def test_an_interpreter_that_is_gone_is_named() -> None:
    with pytest.raises(InterpreterBroken, match=r"/no/such/python"):
        await read_lock("/no/such/python")


def test_the_key_knows_no_order_but_every_version() -> None:
    one = Lock(python="3.11.7", packages=["a==1", "b==2"])
    assert one.key == Lock(python="3.11.7", packages=["b==2", "a==1"]).key
    assert one.key != Lock(python="3.11.7", packages=["a==1", "b==3"]).key
    assert one.key != Lock(python="3.12.1", packages=["a==1", "b==2"]).key


def test_our_own_package_is_not_installed_again() -> None:
    ours = ["-e file:///somewhere/jupyter_mlws", "jupyter-mlws==0.1.0", "jupyter_mlws @ file:///x.whl"]
    assert Lock(python="3.11.7", packages=[*ours, "six==1.16.0"]).requirements == ["six==1.16.0"]
