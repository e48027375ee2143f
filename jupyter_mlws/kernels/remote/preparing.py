"""Puts `inside` into a Python kernel on another server, and takes over one that has it."""

from __future__ import annotations

import ast
import json
from collections.abc import Awaitable, Callable, Mapping
from importlib import resources
from typing import Any

from jupyter_mlws.kernels.driver import KernelStartFailed

_READY_SECONDS = 60.0
_PACKAGE = "jupyter_mlws.kernels.remote"
_MODULES = {
    "_mlws_remote_kept": "inside_kept.py",
    "_mlws_remote_files": "inside_files.py",
    "_mlws_remote_machine": "inside_machine.py",
    "_mlws_remote": "inside.py",
}
# In a namespace of its own, so that the user's stays empty.
_BEGIN = (
    "import sys, types\n"
    "for name, source in sources.items():\n"
    "    if name not in sys.modules:\n"
    "        module = types.ModuleType(name)\n"
    "        exec(compile(source, '<' + name + '>', 'exec'), vars(module))\n"
    "        sys.modules[name] = module\n"
)
_MODULE = "__import__('sys').modules['_mlws_remote']"

Ask = Callable[[str, dict[str, Any], float], Awaitable[Mapping[str, Any]]]
"""Sends a request of a kind and a content; returns the content of the reply, empty after so many seconds."""


async def prepare(ask: Ask, *, nonce: str, environment: Mapping[str, str], name: str) -> Mapping[str, Any]:
    """Return the account of a kernel of the compute `name` that is prepared now; see `inside.Remote.account`.

    It gets `environment` on top of its own. Raises `KernelStartFailed`, and what `ask` raises.
    """
    files = resources.files(_PACKAGE)
    sources = {module: files.joinpath(file).read_text("utf-8") for module, file in _MODULES.items()}
    code = f"exec({_BEGIN!r}, {{'sources': {sources!r}}})"
    answer = f"{_MODULE}.install({nonce!r}, {dict(environment)!r})"
    found, problem = _account(await ask("execute_request", _silent(code, answer), _READY_SECONDS))
    if found is None:
        raise KernelStartFailed(
            f"The kernel on {name} could not be prepared: {problem}.",
            hint="It needs Python 3.9 or later with ipykernel, and room in its folder for temporary files.",
        )
    return found


async def adopt(
    ask: Ask, *, nonce: str, environment: Mapping[str, str], seconds: float
) -> Mapping[str, Any] | None:
    """Return the account of a kernel that was prepared with `nonce` and waited; None when it is that no more.

    Raises what `ask` raises.
    """
    answer = f"{_MODULE}.adopt({nonce!r}, {dict(environment)!r})"
    return _account(await ask("execute_request", _silent("None", answer), seconds))[0]


def _silent(code: str, answer: str) -> dict[str, Any]:
    return {
        "code": code,
        "silent": True,
        "store_history": False,
        "allow_stdin": False,
        "stop_on_error": True,
        "user_expressions": {"answer": answer},
    }


def _account(reply: Mapping[str, Any]) -> tuple[Mapping[str, Any] | None, str]:
    """Return what the kernel said of itself, else None and what went wrong in words."""
    expression = (reply.get("user_expressions") or {}).get("answer") or reply
    text = (expression.get("data") or {}).get("text/plain")
    if text is not None:
        found: dict[str, Any] = json.loads(ast.literal_eval(text))
        return found, ""
    return None, f"{expression.get('ename', 'it did not answer')}: {expression.get('evalue', '')}".strip(": ")
