"""Makes the magics known to IPython."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from IPython.core.magic import Magics, line_cell_magic, magics_class, no_var_expand

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from jupyter_mlws.magics.session import Session


_MATCHER = "jupyter_mlws"


@magics_class
class MlwsMagics(Magics):
    """The one magic, `mlws`, whose commands are listed by `%mlws help`."""

    def __init__(self, shell: InteractiveShell) -> None:
        super().__init__(shell=shell)
        self._session: Session | None = None

    @property
    def session(self) -> Session:
        """What the commands share: the connection, and the last job."""
        if self._session is None:
            from jupyter_mlws.magics.session import Session

            self._session = Session(self.shell)
        return self._session

    # Braces and $ are read by the commands themselves, so that `-p grid={'a': 1}` stays what it is.
    @no_var_expand
    @line_cell_magic
    def mlws(self, line: str, cell: str | None = None) -> Any:
        """Run cells, notebooks and scripts as jobs, and look after them.

        ::

            %%mlws submit        over a cell: run it as a job; its variables come back by job.result("name")
            %mlws submit         run this notebook, as it stands on the screen, as a job
            %mlws                what there is: server, workspace, running jobs, MLflow
            %mlws help           every command, and `%mlws COMMAND --help` its options
        """
        from jupyter_mlws.magics.dispatch import run

        return run(self.session, line, cell)


def register(shell: InteractiveShell) -> None:
    """Register the magic and its completion with `shell`. Nothing else is imported or started."""
    magics = MlwsMagics(shell)
    shell.register_magics(magics)
    _complete_with(shell, magics)


def _complete_with(shell: InteractiveShell, magics: MlwsMagics) -> None:
    from IPython.core.completer import CompletionContext, SimpleMatcherResult, context_matcher

    @context_matcher(identifier=_MATCHER)  # type: ignore[untyped-decorator]
    def complete(context: CompletionContext) -> SimpleMatcherResult:
        if not context.text_until_cursor.lstrip().startswith(("%mlws ", "%%mlws ", "mlws ")):
            return {"completions": []}
        from jupyter_mlws.magics.completion import matches

        return matches(magics.session, context.text_until_cursor)

    # Loading the extension again replaces what was there.
    completer: Any = shell.Completer
    others = [each for each in completer.custom_matchers if _name_of(each) != _MATCHER]
    completer.custom_matchers[:] = [*others, complete]


def _name_of(matcher: object) -> object:
    return getattr(matcher, "matcher_identifier", None)
