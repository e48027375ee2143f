"""One attempt from its first event to its last."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
import traceback
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_mlws.kernels.driver import Driver, Kernel
from jupyter_mlws.model.errors import Invalid
from jupyter_mlws.model.events import (
    CellChanged,
    EnvironmentSeen,
    KernelStarted,
    Message,
    Results,
    StatusChanged,
)
from jupyter_mlws.model.forking import Forking
from jupyter_mlws.model.job import JobKind, ResultItem
from jupyter_mlws.model.status import JobStatus
from jupyter_mlws.worker.attempt_folder import AttemptFolder, Tracking
from jupyter_mlws.worker.conversation import Conversation, Exchange, KernelDied
from jupyter_mlws.worker.escalation import Step
from jupyter_mlws.worker.event_log import EventLog
from jupyter_mlws.worker.kernel_start import kernel_info, start_failure
from jupyter_mlws.worker.program import CodeCell, Program, kernel_for, program, read_notebook
from jupyter_mlws.worker.python_kernel import Interpreter, PythonKernel
from jupyter_mlws.worker.reach import Reach
from jupyter_mlws.worker.refusals import Refusals
from jupyter_mlws.worker.stopping import COMPLETED, Ending, Stopped, Stopper
from jupyter_mlws.worker.task import Task
from jupyter_mlws.worker.verdict import disk_failed, input_requested, of_reply, timed_out
from jupyter_mlws.worker.watch import after, see_that_it_gives_way, watch_usage

if TYPE_CHECKING:
    from jupyter_mlws.worker.outputs import Outputs

_PYTHONS = ("python", "ipython")  # what a kernel calls its language
_POLL_SECONDS = 0.02
_QUIET_SECONDS = 0.5  # that the first cell of a kernel elsewhere has for itself
_TELL_SECONDS = 5.0  # for a kernel elsewhere to tell its packages at the end


class NeedsPython(Invalid):
    """Something was asked that only a Python kernel can do."""

    code = "python_needed"


class Run:
    """Runs the code of a task on a kernel that it starts. Whoever makes a `Run` also closes it."""

    def __init__(
        self, task: Task, *, folder: AttemptFolder, log: EventLog, driver: Driver, stopper: Stopper
    ) -> None:
        """Nothing happens before `execute`."""
        self._task, self._folder, self._log = task, folder, log
        self._driver, self._stopper = driver, stopper
        self._talk: Conversation | None = None
        self._outputs: Outputs | None = None
        self._environment: asyncio.Task[EnvironmentSeen] | None = None
        self._watches: list[asyncio.Task[None]] = []
        self._gentle = False
        self._a_cell_is_over = asyncio.Event()
        self._refusals = Refusals(folder.files.refused)
        self.kernel: Kernel | None = None
        """The kernel, once it was started."""
        self.where = "Before the first cell."
        """How far the code has come, in words."""

    async def execute(self) -> Ending:
        """Start the kernel, run the code, keep its results; return how the code ended.

        Raises:
            Stopped: the stopper's ending is the attempt's.
            KernelDied: the kernel's process ended; the stopper may know why.
            MlwsError: the attempt failed, with a sentence for the user.
        """
        notebook = read_notebook(Path(self._task.notebook or "")) if self._is_notebook else None
        kernel = self.kernel = await self._driver.start(
            kernel_for(self._task, notebook),
            cwd=Path(self._task.cwd),
            env={**os.environ, **self._task.environment},
        )
        reach = Reach(kernel, self._task, self._folder.files, tend=self._tend)
        # The kernel needs half a second of another CPU: time to import what takes its outputs.
        loading = asyncio.create_task(asyncio.to_thread(_load, self._task, notebook))
        try:
            talk = self._talk = Conversation(
                kernel.client, spool=self._folder.root, hear=self._hear, hold=self._holds, tend=self._tend
            )
            # One on this machine is prepared by the first thing that it is asked, which saves an answer.
            known = kernel.files is None and kernel.language in _PYTHONS
            begun = await self._begin(PythonKernel(talk), reach) if known else None
            info = await self._ready(talk)
            python = interpreter = None
            if _is_python(info):
                python, preparing = begun or await self._begin(PythonKernel(talk), reach)
                interpreter = await self._prepared(python, preparing)
            self._announce(kernel, info, interpreter)
        finally:
            ready = await asyncio.gather(loading, return_exceptions=True)
        if isinstance(ready[0], BaseException):
            raise ready[0]
        code = ready[0]
        self._refuse_without_python(python, info)
        self._open_outputs(code, talk, info)
        if (told := await reach.bring_folder()) is not None:
            self.say(told)
        if python is not None and self._task.inputs is not None:
            await python.unpack(await reach.bring(self._task.inputs), where=reach.where)
        ending = await self._run_cells(reach.program(code))
        await self._keep_results(python, reach)
        return ending

    async def close(self, *, at_once: bool) -> None:
        """End the kernel with all it started, and write what is still to be written."""
        self._a_cell_is_over.set()
        for watch in self._watches:
            watch.cancel()
        if self.kernel is not None:
            if self._environment is not None and self.kernel.files is not None and not at_once:
                # A kernel elsewhere tells its packages itself: before it ends.
                await asyncio.wait((self._environment,), timeout=_TELL_SECONDS)
            await self.kernel.close(patience=0.0 if at_once else self._task.grace)
        if self._talk is not None:
            await self._talk.drain(seconds=0.01)
            self._talk.close()
        if self._environment is not None:
            try:
                seen = await self._environment
                self._log.append(seen.model_copy(update={"t": time.time()}))
            except Exception:  # the record is not worth the job
                traceback.print_exc()
        self._say_refusals(at_once=True)
        if self._outputs is not None:
            self._outputs.flush()
            self._outputs.write_notebook()

    def say(self, text: str, *, level: Any = "info") -> None:
        """Append a sentence for the user."""
        self._log.append(Message(t=time.time(), level=level, text=text))

    def _say_refusals(self, *, at_once: bool = False) -> None:
        for sentence in self._refusals.new(at_once=at_once):
            self.say(sentence, level="warning")

    @property
    def _is_notebook(self) -> bool:
        return self._task.spec.kind is JobKind.NOTEBOOK

    async def _ready(self, talk: Conversation) -> Mapping[str, Any]:
        assert self.kernel is not None
        try:
            return await kernel_info(talk)
        except (KernelDied, TimeoutError) as error:
            if self._stopper.ending is not None:
                raise Stopped from error
            await asyncio.sleep(_POLL_SECONDS)  # its last words may still be in the pipe
            raise start_failure(self.kernel, self._task.spec.kernel) from error

    def _announce(self, kernel: Kernel, info: Mapping[str, Any], interpreter: Interpreter | None) -> None:
        language = info.get("language_info") or {}
        self._log.append(
            KernelStarted(
                t=time.time(),
                pid=kernel.pid,
                process_started=kernel.process_started,
                language=str(language.get("name", kernel.language)),
                version=str(language.get("version", "")),
                executable=None if interpreter is None else interpreter.executable,
            )
        )
        limit = self._task.spec.resources.memory
        watches = [watch_usage(kernel, log=self._log, limit=limit, stopper=self._stopper)]
        if self._task.nice > 0:
            watches.append(see_that_it_gives_way(kernel, self._task.nice))
        self._watches += map(asyncio.create_task, watches)
        if interpreter is not None:
            self._environment = asyncio.create_task(
                _environment(kernel, interpreter, forking=self._task.forking, quiet=self._a_cell_is_over)
            )

    def _refuse_without_python(self, python: PythonKernel | None, info: Mapping[str, Any]) -> None:
        spec = self._task.spec
        wanted = {
            "parameters": bool(spec.parameters),
            "captured variables": self._task.inputs is not None,
            "a script": spec.kind is JobKind.SCRIPT,
            "a function": spec.kind is JobKind.FUNCTION,
        }
        if python is None and any(wanted.values()):
            language = (info.get("language_info") or {}).get("name", "another language")
            asked = next(name for name, asked in wanted.items() if asked)
            raise NeedsPython(
                f"The job comes with {asked}, but its kernel runs {language}: that takes a Python kernel.",
                hint="Choose a Python kernel.",
            )

    def _open_outputs(self, code: Program, talk: Conversation, info: Mapping[str, Any]) -> None:
        from jupyter_mlws.worker.executed_notebook import ExecutedNotebook
        from jupyter_mlws.worker.outputs import Outputs

        code.notebook["metadata"]["language_info"] = info.get("language_info") or {}
        notebook = ExecutedNotebook(code.notebook, path=self._folder.files.notebook, client=talk.client)
        self._outputs = Outputs(log=self._log, notebook=notebook, folder=self._folder.files.outputs)
        for warning in code.warnings:
            self.say(warning, level="warning")

    async def _begin(self, python: PythonKernel, reach: Reach) -> tuple[PythonKernel, Exchange]:
        """Bring in what the server hands over for MLflow, too; without it the job runs all the same."""
        tracking = self._folder.tracking() if self._task.tracking else Tracking()
        if tracking is None or tracking.error:
            reason = "the server handed nothing over." if tracking is None else tracking.error
            self.say(f"The job runs without a run in MLflow: {reason}", level="warning")
            tracking = Tracking()
        handed = await reach.tracking(tracking) if tracking.bootstrap else None
        return python, python.begin(tracking=handed, sink=reach.sink)

    async def _prepared(self, python: PythonKernel, begun: Exchange) -> Interpreter:
        found = await python.prepared(begun)
        if found.problem:
            self.say(f"The job's code cannot log to MLflow: {found.problem}.", level="warning")
        return found

    async def _run_cells(self, code: Program) -> Ending:
        self._log.append(StatusChanged(t=time.time(), status=JobStatus.RUNNING))
        seconds = self._task.spec.timeout
        call_off = after(seconds, lambda: self._stopper.ask(timed_out(seconds or 0.0)))
        self._gentle = True
        try:
            for cell in code.cells:
                ending = await self._run_cell(cell, total=code.total)
                if self._stopper.ending is not None:
                    raise Stopped
                if ending is not None:
                    return ending
            return COMPLETED
        finally:
            self._gentle = False
            call_off()

    async def _run_cell(self, cell: CodeCell, *, total: int) -> Ending | None:
        assert self._talk is not None and self._outputs is not None
        self.where = self._place(cell, total)
        began = time.monotonic()
        self._tell(cell, total, state="skipped" if cell.skipped else "running")
        if cell.skipped:
            return None
        self._outputs.begin(cell.index)
        state, count, ending = "error", None, None
        try:
            exchange = await self._talk.run(cell.code, cell=cell.index, may_fail=cell.may_fail)
            ending = of_reply(exchange.reply, exchange.error, where=self.where, code=cell.code)
            count = (exchange.reply or {}).get("execution_count")
            state = "ok" if ending in (None, COMPLETED) else "error"
        finally:
            self._a_cell_is_over.set()
            self._outputs.end(cell.index, execution_count=count)
            seconds = round(time.monotonic() - began, 3)
            self._tell(cell, total, state=state, execution_count=count, seconds=seconds)
        return None if cell.may_fail and ending != COMPLETED else ending

    def _tell(self, cell: CodeCell, total: int, **changed: Any) -> None:
        """Append how a cell of the user's stands."""
        if cell.position is not None:
            where = {"index": cell.index, "position": cell.position, "total": total}
            self._log.append(CellChanged(t=time.time(), **where, **changed))

    async def _keep_results(self, python: PythonKernel | None, reach: Reach) -> None:
        self._log.append(StatusChanged(t=time.time(), status=JobStatus.FINALIZING))
        self.where = "While the results were packed."
        spec = self._task.spec
        names = list(spec.outputs or [])
        if spec.kind is JobKind.FUNCTION and spec.outputs is None:
            names = ["result"]
        if not names:
            return
        if python is None:
            sentence = "Only Python kernels can bring variables back."
            items = [ResultItem(name=name, type="", error=sentence) for name in names]
        else:
            results = self._folder.files.results
            results.mkdir(mode=0o700, exist_ok=True)
            items = await python.pack(names, await reach.place(results))
            await reach.collect(results)
        self._log.append(Results(t=time.time(), items=items))

    def _place(self, cell: CodeCell, total: int) -> str:
        spec = self._task.spec
        if cell.position is None:
            return "In the parameters."
        if spec.kind is JobKind.NOTEBOOK:
            return f"In cell {cell.position} of {total}."
        return {JobKind.SCRIPT: f"In {spec.path}.", JobKind.FUNCTION: "In the function."}.get(
            spec.kind, "In the cell."
        )

    def _hear(self, message: dict[str, Any], cell: int) -> None:
        if self._outputs is not None:
            self._outputs.hear(message, cell)

    def _holds(self) -> bool:
        return self._outputs is not None and self._outputs.holds

    async def _tend(self) -> None:
        """Look at everything that may end the job; several times a second."""
        if self._outputs is not None:
            self._outputs.tick()
        self._say_refusals()
        if self._log.failure is not None:
            self._stopper.ask(disk_failed(self._log.failure), first=Step.KILL)
        if self._talk is not None and self._talk.asked_for_input:
            self._stopper.ask(input_requested(self.where))
        if self._stopper.ending is not None and not self._gentle:
            raise Stopped
        assert self.kernel is not None
        step = self._stopper.due()
        if step is Step.INTERRUPT:
            await self.kernel.interrupt()
        elif step is Step.TERMINATE:
            await self.kernel.terminate()
        elif step is Step.KILL:
            await self.kernel.kill()
        if not await self.kernel.alive():
            raise KernelDied


async def _environment(
    kernel: Kernel, interpreter: Interpreter, *, forking: Forking | None, quiet: asyncio.Event
) -> EnvironmentSeen:
    from jupyter_mlws.worker.environment_record import environment_record, environment_told
    from jupyter_mlws.worker.known_environment import known_environment

    if kernel.files is not None:
        # It looks through its distributions on the CPU that the first output is waited for from.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_QUIET_SECONDS):
                await quiet.wait()
    told = await kernel.packages()
    if told is not None:
        return environment_told(told, python=interpreter.python)
    if kernel.files is not None:
        raise ConnectionError("The kernel did not tell its packages, and its disk is not here.")
    read = environment_record if forking is None else partial(known_environment, Path(forking.packages))
    return await asyncio.to_thread(read, python=interpreter.python, path=interpreter.path)


def _is_python(info: Mapping[str, Any]) -> bool:
    return str((info.get("language_info") or {}).get("name", "")).lower() in _PYTHONS


def _load(task: Task, notebook: Mapping[str, Any] | None) -> Program:
    # Half a second of imports, on a thread while the kernel starts.
    from jupyter_mlws.worker import outputs as _  # noqa: F401

    return program(task, notebook)
