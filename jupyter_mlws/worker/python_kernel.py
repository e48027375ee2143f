"""Requests of our own to a Python kernel: prepare it, bring variables in, take results out."""

from __future__ import annotations

import ast
import json
import re
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

from pydantic import ValidationError

from jupyter_mlws.model.errors import Invalid
from jupyter_mlws.model.job import ResultItem
from jupyter_mlws.worker.conversation import Conversation, Exchange

_PORTABLE = "_mlws_portable"
_INSIDE = "__import__('sys').modules['_mlws_inside']"
_OLDEST = (3, 8)  # pickle's protocol 5
_NEEDED = "Python 3.8 or later is needed in the job's kernel."
# Sent as expressions: IPython searches the code of a cell for its own syntax, which takes 50 ms for 80 KB.
# In a namespace of its own, so that the user's stays empty.
# A forked kernel has them of its fork server.
_BEGIN = """
import sys
if '_mlws_inside' not in sys.modules:
    module = type(sys)('_mlws_inside')
    exec(compile(source, '<_mlws_inside>', 'exec'), vars(module))
    sys.modules['_mlws_inside'] = module
"""


class UnpackFailed(Invalid):
    """The captured variables could not be brought into the kernel."""

    code = "unpack_failed"


class KernelNotPrepared(Invalid):
    """The kernel did not do what every Python kernel does."""

    code = "kernel_start_failed"


@dataclass(frozen=True)
class Interpreter:
    """The Python of a kernel."""

    python: str
    executable: str | None
    path: list[str]
    problem: str | None = None
    """Why its code cannot log to MLflow, where that was asked for."""
    helpers: list[str] = field(default_factory=list)
    """Which of our helpers it has."""


class PythonKernel:
    """The kernel's own helpers, which live in modules whose names begin with `_mlws_`."""

    def __init__(self, talk: Conversation) -> None:
        self._talk = talk
        self._has: set[str] = set()

    def begin(self, *, tracking: str | None, sink: str | None) -> Exchange:
        """Have the kernel put the helpers in, and what the file `tracking` hands over, once it answers.

        `sink` is an expression of what takes the records for MLflow; None: they go to the attempt's folder.
        """
        source = _source("jupyter_mlws.worker", "inside_kernel.py")
        return self._talk.begin_ask(
            f"exec({_BEGIN!r}, {{'source': {source!r}}}) or {_INSIDE}.install({tracking!r}, {sink})"
        )

    async def prepared(self, begun: Exchange) -> Interpreter:
        """Wait until what `begin` has begun is done. Raises `KernelNotPrepared`."""
        exchange = await self._talk.answered(begun)
        answer = _answer(exchange)
        if answer is None:
            raise KernelNotPrepared(
                f"The kernel could not be prepared: {_problem(exchange)}.",
                hint=_NEEDED,
            )
        interpreter = Interpreter(**answer)
        if _is_older(interpreter.python):
            raise KernelNotPrepared(
                f"The kernel runs Python {interpreter.python}, which is too old for jobs.",
                hint=_NEEDED,
            )
        self._has.update(interpreter.helpers)
        return interpreter

    async def unpack(self, path: str, *, where: str) -> None:
        """Bring the captured variables of a pack into the user's namespace. Raises `UnpackFailed`.

        `where` says in words which kernel it is.
        """
        await self._add_portable()
        exchange = await self._talk.run(f"{_INSIDE}.unpack({path!r})")
        if _failed(exchange):
            raise UnpackFailed(
                f"The captured variables could not be unpacked: {_problem(exchange).rstrip('.')}.",
                hint=f"{where} needs the packages that the variables are made of.",
            )

    async def pack(self, names: list[str], folder: str) -> list[ResultItem]:
        """Write results to `folder`, and return what became of each."""
        await self._add_portable()
        exchange = await self._talk.run("None", ask=f"{_INSIDE}.pack({names!r}, {folder!r})")
        answer = _answer(exchange)
        problem = _problem(exchange)
        if answer is not None:
            try:
                return [ResultItem.model_validate(item) for item in answer]
            except ValidationError as error:
                problem = str(error)
        sentence = f"The results could not be packed: {problem}."
        return [ResultItem(name=name, type="", error=sentence) for name in names]

    async def _add_portable(self) -> None:
        if _PORTABLE not in self._has:
            source = _source("jupyter_mlws.capture", "portable.py")
            await self._talk.run("None", ask=f"{_INSIDE}.add_module({_PORTABLE!r}, {source!r})")
            self._has.add(_PORTABLE)


def _is_older(version: str) -> bool:
    """Whether a Python such as 3.7.16 is older than the oldest that is known to do."""
    found = re.match(r"(\d+)\.(\d+)", version)
    return found is not None and (int(found[1]), int(found[2])) < _OLDEST


def _source(package: str, name: str) -> str:
    return resources.files(package).joinpath(name).read_text("utf-8")


def _failed(exchange: Exchange) -> bool:
    return exchange.reply is None or exchange.reply.get("status") != "ok"


def _answer(exchange: Exchange) -> Any:
    """The JSON that the asked expression gave; it arrives as the literal of a str."""
    expression = ((exchange.reply or {}).get("user_expressions") or {}).get("answer") or {}
    text = (expression.get("data") or {}).get("text/plain")
    if expression.get("status") != "ok" or text is None:
        return None
    return json.loads(ast.literal_eval(text))


def _problem(exchange: Exchange) -> str:
    reply = exchange.reply or exchange.error or {}
    expression = (reply.get("user_expressions") or {}).get("answer") or reply
    name, value = expression.get("ename"), expression.get("evalue")
    if not name:
        return "the kernel did not answer"
    return f"{name}: {str(value)[:1000]}" if value else str(name)
