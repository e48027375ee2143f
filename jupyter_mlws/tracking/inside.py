"""Runs in the job's kernel before the user's code: what the job logs with MLflow lands in its run.

This one file is standalone: its text is exec'd in the kernel, where neither our package nor mlflow need
be installed. It imports the standard library alone (Python 3.9 or later), and never mlflow: it waits
until the user does.

MLflow itself resumes the run in `MLFLOW_RUN_ID` once and then forgets it (mlflow/tracking/fluent.py),
so that a second autologged `fit`, or a metric logged after the first, would go astray. Here:

- What is logged without a run, and autologging, goes into the job's run, however often.
- `mlflow.active_run()` is the job's run from the start.
- The first `mlflow.start_run()` that the user writes gives the job's run; each further one, one with
  `nested=True`, and one in another experiment, gives a new run, a child of the job's run.
- Ending the job's run ends nothing: how the job ended is known later, and our server sets it then.
- A run id, or another tracking server, that the user gives is what the user gets.

An mlflow whose inside looks different is left alone, with the plain environment variables.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import os
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

_FLUENT = "mlflow.tracking.fluent"
_LAST_ACTIVE_RUN = f"{_FLUENT}.last_active_run"
_PARENT_TAG = "mlflow.parentRunId"
_HOLDERS = "_mlws_holders"
_REPLACED = ("start_run", "end_run", "active_run")


def install(environment: dict[str, str], attach: Callable[[], None]) -> None:
    """Set `environment` (see tracking/handover.py), and make mlflow log into its `MLFLOW_RUN_ID`.

    To be called once in a process, before the user's code. `attach` is called once mlflow is imported,
    and puts the spool between it and its server (see tracking/bootstrap.py).
    """
    os.environ.update(environment)
    _bypass_proxies()
    run_id = environment.get("MLFLOW_RUN_ID")
    if not run_id:
        return
    job = _JobRun(
        run_id,
        experiment_id=environment.get("MLFLOW_EXPERIMENT_ID", ""),
        tracking_uri=environment.get("MLFLOW_TRACKING_URI", ""),
        attach=attach,
    )
    loaded = sys.modules.get(_FLUENT)
    if loaded is None:
        sys.meta_path.insert(0, _AfterImport(job))
    else:
        _redirect(loaded, job)


def _bypass_proxies() -> None:
    # The server is on the loopback interface, where no proxy can reach it.
    for name in ("NO_PROXY", "no_proxy"):
        hosts = [host for host in os.environ.get(name, "").split(",") if host.strip()]
        if "*" not in hosts:
            missing = [host for host in ("127.0.0.1", "localhost") if host not in hosts]
            os.environ[name] = ",".join(hosts + missing)


class _AfterImport:
    """A finder that finds nothing itself, but has `_redirect` called once mlflow's module was executed."""

    def __init__(self, job: _JobRun) -> None:
        self._job = job

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name != _FLUENT:
            return None
        for finder in sys.meta_path:
            find = getattr(finder, "find_spec", None)
            spec = None if finder is self or find is None else find(name, path, target)
            if spec is not None:
                self._hook(spec.loader)
                return spec
        return None

    def _hook(self, loader: Any) -> None:
        execute = getattr(loader, "exec_module", None)
        if execute is None:
            return

        def exec_module(module: Any) -> None:
            execute(module)
            _redirect(module, self._job)

        # A loader without room for it: the environment variables remain.
        with contextlib.suppress(AttributeError):
            loader.exec_module = exec_module


def _redirect(fluent: Any, job: _JobRun) -> None:
    """Put `job`'s functions in place of those of mlflow/tracking/fluent.py, if it looks as expected."""
    if hasattr(fluent, "_mlws_job") or not _looks_as_expected(fluent):
        return
    fluent._mlws_job = job
    try:
        job.spool()
    except Exception as error:
        # Another version of mlflow, say: what is logged then goes to its server, each call for itself.
        print(f"mlws: mlflow logs to its server directly: {error!r}", file=sys.__stderr__)
    originals = {name: getattr(fluent, name) for name in _REPLACED}
    job.attach(fluent)
    replacements = {name: _like(original, getattr(job, name)) for name, original in originals.items()}
    fluent.MLFLOW_RUN_ID = _WithoutJobRun(fluent.MLFLOW_RUN_ID, job.run_id)
    client = fluent.MlflowClient
    client.set_terminated = _keep_open(client.set_terminated, job.run_id)
    _reconcile_parameters(job)
    for module, function in getattr(fluent, _HOLDERS, None) or _holders(fluent):
        setattr(module, function, replacements[function])


def rehearse() -> None:
    """In a fork server that has imported mlflow: find once what each of its kernels would look for."""
    if (fluent := sys.modules.get(_FLUENT)) is not None:
        setattr(fluent, _HOLDERS, _holders(fluent))


def _holders(fluent: Any) -> list[tuple[Any, str]]:
    """Return which modules have which of the functions: what was imported before this has them, too."""
    found = []
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] == "mlflow":
            held = vars(module)
            found += [(module, each) for each in _REPLACED if held.get(each) is getattr(fluent, each)]
    return found


def _looks_as_expected(fluent: Any) -> bool:
    variable = getattr(fluent, "MLFLOW_RUN_ID", None)
    return (
        all(callable(getattr(fluent, name, None)) for name in (*_REPLACED, "ActiveRun"))
        and all(callable(getattr(variable, name, None)) for name in ("get", "unset"))
        and callable(getattr(getattr(fluent, "_active_run_stack", None), "get", None))
        and callable(getattr(getattr(fluent, "MlflowClient", None), "set_terminated", None))
        and hasattr(fluent, "_active_experiment_id")
        and "run_id" in inspect.signature(fluent.start_run).parameters
    )


def _like(original: Any, method: Callable[..., Any]) -> Any:
    """Return a function with the name, signature and text of `original` that calls `method`."""

    @functools.wraps(original)
    def replacement(*args: Any, **kwargs: Any) -> Any:
        return method(*args, **kwargs)

    return replacement


def _who_calls() -> str:
    """Return `<module>.<function>` of who calls the replacement (see `_like`) of the function that asks."""
    frame = sys._getframe(3)
    return f"{frame.f_globals.get('__name__', '')}.{frame.f_code.co_name}"


def _is_mlflow(caller: str) -> bool:
    return caller.startswith("mlflow.")


class _WithoutJobRun:
    """MLflow's view of the variable `MLFLOW_RUN_ID`: not set while it names the job's run.

    So it is decided here who gets that run, and the variable itself stays for subprocesses.
    """

    def __init__(self, variable: Any, run_id: str) -> None:
        self._variable = variable
        self._run_id = run_id

    def _is_jobs(self) -> bool:
        return os.environ.get(self._variable.name) == self._run_id

    @property
    def defined(self) -> bool:
        return self.is_set()

    def is_set(self) -> bool:
        return self._variable.name in os.environ and not self._is_jobs()

    def get(self) -> Any:
        return None if self._is_jobs() else self._variable.get()

    def get_raw(self) -> Any:
        return None if self._is_jobs() else os.environ.get(self._variable.name)

    def unset(self) -> None:
        if not self._is_jobs():
            self._variable.unset()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._variable, name)


def _keep_open(original: Any, job_run_id: str) -> Any:
    @functools.wraps(original)
    def set_terminated(client: Any, run_id: str, *args: Any, **kwargs: Any) -> Any:
        return None if run_id == job_run_id else original(client, run_id, *args, **kwargs)

    return set_terminated


def _reconcile_parameters(job: _JobRun) -> None:
    """Have autologging leave out parameters that the job's run has with another value.

    MLflow would refuse them and all others of the same call.
    """
    module = sys.modules.get("mlflow.utils.autologging_utils.client")
    client = getattr(module, "MlflowAutologgingQueueingClient", None)
    original = getattr(client, "log_params", None)
    if original is None:
        return

    @functools.wraps(original)
    def log_params(queue: Any, run_id: Any, params: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        if run_id == job.run_id:
            with contextlib.suppress(Exception):  # The server is away: autologging says so itself.
                params = job.without_conflicts(params)
        return original(queue, run_id, params, *args, **kwargs)

    client.log_params = log_params  # type: ignore[union-attr]


class _JobRun:
    """Decides for each start of a run whether it means the job's run or a new one.

    In a thread the job's run may be active *implicitly*: because something was logged without a run, or
    the active run was asked for. It then gives way to any run that the user starts.
    """

    def __init__(
        self, run_id: str, experiment_id: str, tracking_uri: str, attach: Callable[[], None]
    ) -> None:
        self.run_id = run_id
        self.spool = attach
        self._experiment_id = experiment_id
        self._tracking_uri = tracking_uri
        self._lock = threading.RLock()
        self._thread = threading.local()
        self._given = False  # whether the user's own start_run() got the job's run already
        self._run: Any = None
        self._params: dict[str, str] | None = None
        self._fluent: Any = None

    def attach(self, fluent: Any) -> None:
        """Keep mlflow's module and the functions that are replaced next."""
        self._fluent = fluent
        self._signature = inspect.signature(fluent.start_run)
        self._start_run, self._end_run, self._active_run = (getattr(fluent, name) for name in _REPLACED)

    def active_run(self) -> Any:
        if not self._stack and self._is_wanted_by(_who_calls()) and self._is_at_home():
            # With the server away, no run is active, as MLflow has it.
            with contextlib.suppress(Exception):
                self._enter({})
        return self._active_run()

    def _is_wanted_by(self, caller: str) -> bool:
        """Whether who asks for the active run, when there is none, is to have the job's."""
        if not _is_mlflow(caller):
            return not self._seen  # `while mlflow.active_run(): mlflow.end_run()` has to end
        # Autologging tells by the active run whether the user began one. Others of mlflow's functions,
        # such as log_model(), want the run that they belong to.
        return not caller.startswith("mlflow.utils.autologging_utils.") and caller != _LAST_ACTIVE_RUN

    def end_run(self, *args: Any, **kwargs: Any) -> Any:
        self._thread.seen = True
        return self._end_run(*args, **kwargs)

    def start_run(self, *args: Any, **kwargs: Any) -> Any:
        try:
            arguments = dict(self._signature.bind(*args, **kwargs).arguments)
        except TypeError:
            return self._start_run(*args, **kwargs)  # raises it with mlflow's own words
        by_mlflow = _is_mlflow(_who_calls())
        if not self._is_at_home():
            self._give_way()
            return self._start_run(**arguments)
        if arguments.get("run_id"):
            return self._resume(arguments)
        if by_mlflow:
            return self._start_for_mlflow(arguments)
        return self._start_for_user(arguments)

    def without_conflicts(self, params: dict[str, Any]) -> dict[str, Any]:
        """Return those of `params` that the job's run can take; says on stderr which are left out."""
        with self._lock:
            if self._params is None:
                self._params = dict(self._fluent.MlflowClient().get_run(self.run_id).data.params)
            known = self._params
            kept = {
                name: value for name, value in params.items() if known.get(name, str(value)) == str(value)
            }
            known.update({name: str(value) for name, value in kept.items()})
        if len(kept) < len(params):
            left_out = ", ".join(f"{name}={params[name]}" for name in params if name not in kept)
            print(
                f"The job's MLflow run keeps the parameters of an earlier fit; left out: {left_out}. "
                "Put each fit into `with mlflow.start_run():` for a run of its own.",
                file=sys.stderr,
            )
        return kept

    def _resume(self, arguments: dict[str, Any]) -> Any:
        self._give_way()
        if arguments["run_id"] != self.run_id:
            return self._start_run(**arguments)
        with self._any_experiment():
            run = self._start_run(**arguments)
        self._given = True
        return run

    def _start_for_mlflow(self, arguments: dict[str, Any]) -> Any:
        """Mlflow needs a run: for a metric without one, for autologging, for an evaluation."""
        if self._stack:
            return self._start_run(**arguments)
        if (
            arguments.get("nested")
            or arguments.get("parent_run_id")
            or self._is_elsewhere(arguments, chosen=None)
        ):
            return self._start_child(arguments)
        return self._enter(arguments)

    def _start_for_user(self, arguments: dict[str, Any]) -> Any:
        self._give_way()
        if self._stack:
            return self._start_run(**arguments)
        chosen = self._fluent._active_experiment_id
        with self._lock:
            is_first = not (
                self._given
                or arguments.get("nested")
                or arguments.get("parent_run_id")
                or self._is_elsewhere(arguments, chosen=chosen)
            )
            self._given = self._given or is_first
        if not is_first:
            return self._start_child(arguments)
        try:
            return self._resume({**arguments, "run_id": self.run_id})
        except BaseException:
            self._given = False
            raise

    def _start_child(self, arguments: dict[str, Any]) -> Any:
        if not arguments.get("parent_run_id"):
            arguments["tags"] = {_PARENT_TAG: self.run_id, **(arguments.get("tags") or {})}
        return self._start_run(**arguments)

    def _enter(self, arguments: dict[str, Any]) -> Any:
        """Make the job's run active in this thread, implicitly."""
        with self._lock:
            if self._run is None:
                with self._any_experiment():
                    self._run = self._start_run(**{**arguments, "run_id": self.run_id})
            else:
                for key, value in (arguments.get("tags") or {}).items():
                    self._fluent.MlflowClient().set_tag(self.run_id, key, value)
                self._stack.append(self._fluent.ActiveRun(self._run))
        self._thread.seen = self._thread.implicit = True
        return self._stack[-1]

    def _give_way(self) -> None:
        """Take the job's run away, if it is active implicitly, and nothing else is."""
        stack = self._stack
        if (
            getattr(self._thread, "implicit", False)
            and len(stack) == 1
            and stack[0].info.run_id == self.run_id
        ):
            stack.pop()
        self._thread.seen = True
        self._thread.implicit = False

    @property
    def _stack(self) -> Any:
        return self._fluent._active_run_stack.get()

    @property
    def _seen(self) -> bool:
        """Whether a run was active in this thread before: once ended, none is active until it is needed."""
        return bool(getattr(self._thread, "seen", False))

    def _is_at_home(self) -> bool:
        """Whether mlflow logs to our server, not to one that the user chose."""
        tracking_uri = getattr(sys.modules.get("mlflow"), "get_tracking_uri", None)
        return tracking_uri is None or tracking_uri() == self._tracking_uri

    def _is_elsewhere(self, arguments: dict[str, Any], chosen: str | None) -> bool:
        """Whether the run is to be in another experiment; `chosen` is that of set_experiment()."""
        experiment_id = arguments.get("experiment_id") or chosen
        return experiment_id is not None and str(experiment_id) != self._experiment_id

    @contextlib.contextmanager
    def _any_experiment(self) -> Iterator[None]:
        """Let mlflow resume the job's run, also after the user chose another experiment for new runs."""
        with self._lock:
            chosen = self._fluent._active_experiment_id
            self._fluent._active_experiment_id = None
            try:
                yield
            finally:
                self._fluent._active_experiment_id = chosen
