"""A cell's source as a syntax tree: IPython's own syntax becomes calls of `get_ipython()`."""

from __future__ import annotations

import ast
import warnings

from jupyter_mlws.model.errors import Invalid


class CellSyntaxError(Invalid):
    """A cell is no valid Python. `line` counts from 1; `text` is that line."""

    code = "cell_syntax_error"

    def __init__(self, problem: str, *, line: int, text: str) -> None:
        shown = text.strip()
        cut = shown if len(shown) <= 100 else shown[:99] + "…"
        super().__init__(
            f"Line {line} of the cell is not valid Python: {problem}" + (f": `{cut}`." if cut else "."),
            hint="Correct the cell and submit it again.",
        )
        self.line = line
        self.text = text


def parse_cell(source: str, *, line: int = 1) -> tuple[ast.Module, int]:
    """Return the tree of `source` and the flags of its `from __future__` imports.

    `line` is the number that its first line has in the whole cell. Raises `CellSyntaxError`.
    """
    # IPython is there wherever a cell is; elsewhere this module costs nothing.
    from IPython.core.inputtransformer2 import TransformerManager

    stripped = source.lstrip("\n")
    line += len(source) - len(stripped)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they come again, in the right place, when the cell runs
        try:
            plain = TransformerManager().transform_cell(stripped)  # type: ignore[no-untyped-call]
            tree = compile(plain, "<cell>", "exec", ast.PyCF_ONLY_AST, dont_inherit=True)
            assert isinstance(tree, ast.Module)
            # The parser alone lets `return` and `break` pass anywhere.
            code = compile(tree, "<cell>", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
        except SyntaxError as error:
            raise _located(error, source=stripped, line=line) from error
        except (RecursionError, MemoryError) as error:
            raise CellSyntaxError("it is nested too deep", line=line, text="") from error
        except ValueError as error:  # null bytes, lone surrogates
            raise CellSyntaxError(str(error), line=line, text="") from error
    return tree, code.co_flags & _FUTURES


_FUTURES = 0x1FF0000  # the CO_FUTURE_ flags of CPython 3.11 to 3.14


def _located(error: SyntaxError, *, source: str, line: int) -> CellSyntaxError:
    number = error.lineno or 1
    lines = source.splitlines()
    text = lines[number - 1] if 0 < number <= len(lines) else error.text or ""
    return CellSyntaxError(error.msg, line=line + number - 1, text=text)
