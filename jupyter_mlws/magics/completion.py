"""Completes commands, options and jobs after `%mlws`. Never starts a server and never waits long."""

from __future__ import annotations

from IPython.core.completer import SimpleCompletion, SimpleMatcherResult

from jupyter_mlws.magics.parser import COMMANDS
from jupyter_mlws.magics.session import Session

_JOBS_OFFERED = 30
_TAKES_JOB = frozenset({"job", "logs", "result", "cancel", "rerun", "delete"})
_VALUES = {
    "--priority": ["low", "medium", "high"],
    "--status": ["Queued", "Preparing", "Running", "Finalizing", "Completed", "Failed", "Canceled"],
    "--timeout": ["30m", "2h"],
    "--memory": ["1G", "4G"],
}
_VERBS = {
    "workspace": ["list", "show", "create", "use"],
    "compute": ["list", "show", "create", "check", "delete"],
    "help": list(COMMANDS),
}


def matches(session: Session, before: str) -> SimpleMatcherResult:
    """Return what may stand at the end of `before`, the line up to the cursor, as IPython wants it."""
    symbol = "" if before[-1:].isspace() else before.split()[-1]
    found = [SimpleCompletion(word) for word in candidates(session, before) if word.startswith(symbol)]
    # Nothing else fits here: Python's own words are no options.
    return {"completions": found, "matched_fragment": symbol, "suppress": True, "ordered": True}


def candidates(session: Session, before: str) -> list[str]:
    """Return the words that fit at the end of `before`, whatever of the last one is there already."""
    words = before.split()
    symbol = "" if before[-1:].isspace() else words[-1]
    done = words[1:] if not symbol else words[1:-1]
    over_cell = words[0] == "%%mlws"
    if not done:
        return [name for name, command in COMMANDS.items() if command.cell or not over_cell]
    command = COMMANDS.get(done[0])
    if command is None:
        return []
    if done[-1] in _VALUES:
        return _VALUES[done[-1]]
    options = command.parser(cell=over_cell).options()
    if symbol.startswith("-"):
        return options
    offered = list(_VERBS.get(command.name, [])) if len(done) == 1 else []
    if command.name in _TAKES_JOB and len(done) == 1:
        offered += _jobs(session)
    return offered if symbol else offered + [option for option in options if option.startswith("--")]


def _jobs(session: Session) -> list[str]:
    """Return variables that hold jobs, then names and ids of the newest jobs, where a server is known."""
    from jupyter_mlws.client import Job
    from jupyter_mlws.model.errors import MlwsError

    held = [
        name
        for name, value in session.shell.user_ns.items()
        if isinstance(value, Job) and not name.startswith("_")
    ]
    if not session.is_connected:
        return held
    try:
        newest = session.workspace.jobs.list(limit=_JOBS_OFFERED)
    except MlwsError:
        return held
    names = dict.fromkeys(job.name for job in newest if " " not in job.name)
    return [*held, *names, *(job.id for job in newest)]
