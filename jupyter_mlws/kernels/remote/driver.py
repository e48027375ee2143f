"""The driver `remote`: each kernel is one of another Jupyter server, with nothing of ours installed there."""

from __future__ import annotations

import ast
import json
import os
import uuid
from collections.abc import Callable, Mapping
from importlib import resources
from pathlib import Path

from jupyter_mlws.kernels.driver import KernelNotFound, KernelStartFailed, Promises
from jupyter_mlws.kernels.remote.kernel import RemoteKernel
from jupyter_mlws.kernels.remote.line import Say
from jupyter_mlws.kernels.remote.records import RecordSpool
from jupyter_mlws.kernels.remote.server import KernelGone, RemoteServer, Token
from jupyter_mlws.model.job import KernelChoice
from jupyter_mlws.model.remote import Remote, Whereabouts

_READY_SECONDS = 60.0
# In a namespace of its own, so that the user's stays empty.
_BEGIN = (
    "import sys, types\n"
    "if '_mlws_remote' not in sys.modules:\n"
    "    module = types.ModuleType('_mlws_remote')\n"
    "    exec(compile(source, '<_mlws_remote>', 'exec'), vars(module))\n"
    "    sys.modules['_mlws_remote'] = module\n"
)
_MODULE = "__import__('sys').modules['_mlws_remote']"


class RemoteDriver:
    """Starts kernels on one other Jupyter server."""

    promises = Promises(own_machine=False, exit_code=False, last_words=False)

    def __init__(
        self,
        remote: Remote,
        *,
        session: str = "mlws",
        note: Callable[[Whereabouts | None], None] = lambda found: None,
        say: Say = lambda text, level: None,
        spool: RecordSpool | None = None,
        token: Token | None = None,
    ) -> None:
        """Nothing happens before `start`.

        `session` is what the kernel's session there is called. `note` is told where the kernel is, before it
        is asked for and again before its first message, and None once it is gone. `say` tells the user of
        the connection. `spool` gets what the job's code logs with MLflow there.
        `token` gives the token where it is not in the remote's file.
        """
        self._token = token or token_of(remote)
        self._remote, self._session = remote, session
        self._note, self._say, self._spool = note, say, spool

    async def start(self, choice: KernelChoice, *, cwd: Path, env: Mapping[str, str]) -> RemoteKernel:
        """Start a kernel in a new folder there; of `env` it gets what this process does not have itself.

        Raises:
            KernelNotFound: there is no such kernelspec there.
            KernelStartFailed: it could not be prepared.
            MlwsError: the server cannot be reached, refuses, or is full; with a sentence each.
        """
        server = RemoteServer(self._remote.url, name=self._remote.name, token=self._token)
        try:
            name, language = await self._choose(server, choice)
            found = Whereabouts(
                name=self._remote.name,
                url=server.url,
                token_file=self._remote.token_file,
                session=f"{self._session}-{uuid.uuid4().hex[:8]}",
                session_id=uuid.uuid4().hex,
            )
            self._note(found)
            kernel_id = await server.start(found.session, kernel=name)
            self._note(found.model_copy(update={"kernel_id": kernel_id}))
        except BaseException:
            server.close()
            raise
        kernel = RemoteKernel(
            server,
            kernel_id,
            language=language,
            remote=self._remote,
            say=self._say,
            spool=self._spool,
            gone=lambda: self._note(None),
        )
        try:
            await kernel.connect(session_id=found.session_id)
            if language == "python":
                given = {key: value for key, value in env.items() if os.environ.get(key) != value}
                await _prepare(kernel, given, name=self._remote.name)
        except BaseException as error:
            await kernel.close(patience=0)
            if isinstance(error, KernelGone):
                raise KernelStartFailed(
                    f"The kernel {name!r} ended at its start on {self._remote.name}.",
                    hint="The log of that server says why.",
                ) from error
            raise
        return kernel

    async def _choose(self, server: RemoteServer, choice: KernelChoice) -> tuple[str, str]:
        """Return the kernelspec that is started there, and its language."""
        specs, default = await server.kernelspecs()
        # A path of a Python is one of this machine, and says nothing there.
        name = choice.name or self._remote.kernel or default
        if name in specs:
            return name, specs[name]
        raise KernelNotFound(
            f"There is no kernel called {name[:100]!r} on the compute {self._remote.name!r} at {server.url}.",
            hint=f"There are: {', '.join(sorted(specs)) or 'none'}.",
        )


def token_of(remote: Remote) -> Callable[[], str | None]:
    """Return what reads the token of `remote`, anew each time."""

    def read() -> str | None:
        if remote.token_file is None:
            return None
        try:
            return Path(remote.token_file).read_text(encoding="utf-8").strip() or None
        except OSError:
            return None  # the server will say that it wants one

    return read


async def _prepare(kernel: RemoteKernel, environment: Mapping[str, str], *, name: str) -> None:
    source = resources.files("jupyter_mlws.kernels.remote").joinpath("inside.py").read_text("utf-8")
    nonce = uuid.uuid4().hex
    reply = await kernel.ask(
        "execute_request",
        {
            "code": f"exec({_BEGIN!r}, {{'source': {source!r}}})",
            "silent": True,
            "store_history": False,
            "allow_stdin": False,
            "stop_on_error": True,
            "user_expressions": {"answer": f"{_MODULE}.install({nonce!r}, {dict(environment)!r})"},
        },
        seconds=_READY_SECONDS,
    )
    expression = (reply.get("user_expressions") or {}).get("answer") or reply
    text = (expression.get("data") or {}).get("text/plain")
    if text is None:
        problem = f"{expression.get('ename', 'it did not answer')}: {expression.get('evalue', '')}".strip(
            ": "
        )
        raise KernelStartFailed(
            f"The kernel on {name} could not be prepared: {problem}.",
            hint="It needs Python 3.9 or later with ipykernel, and room in its folder for temporary files.",
        )
    kernel.prepared(nonce, json.loads(ast.literal_eval(text)))
