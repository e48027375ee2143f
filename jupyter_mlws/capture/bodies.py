"""What the body of a function reads and assigns among the globals, told by the compiler itself."""

from __future__ import annotations

import ast
import dis
import types
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from jupyter_mlws.capture.magic_lines import expanded, names_in_query, shell_call

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


@dataclass
class Body:
    """Globals of a function's body: they matter when it is called."""

    reads: dict[str, bool] = field(default_factory=dict)
    """Name, and whether it must exist."""
    assigns: dict[str, None] = field(default_factory=dict)

    def add(self, other: Body) -> None:
        """Take in what `other` reads and assigns."""
        for name, required in other.reads.items():
            self.reads[name] = self.reads.get(name, False) or required
        self.assigns.update(other.assigns)


def body_of(node: Function, *, flags: int) -> Body:
    """Return the globals of the body of `node`; `flags` are those of its cell's `from __future__` imports.

    Decorators, default values and annotations are not in it: they are evaluated with the definition.
    """
    guarded = _guarded_names(node)
    body = Body()
    for instruction in _uses_of_globals(_compiled(node, flags)):
        if instruction.opname == "STORE_GLOBAL":
            body.assigns[instruction.argval] = None
        else:
            body.reads[instruction.argval] = instruction.argval not in guarded
    for call in (part for part in ast.walk(node) if isinstance(part, ast.Call)):
        shell = shell_call(call)
        texts = expanded(shell.line) if shell else []
        hidden = [name.id for text in texts for name in ast.walk(text) if isinstance(name, ast.Name)]
        for name in [*hidden, *names_in_query(call)]:
            body.reads.setdefault(name, False)
    return body


def catches_name_error(handlers: Iterable[ast.ExceptHandler]) -> bool:
    """Return whether a `NameError` ends in one of `handlers`."""
    kinds = [handler.type for handler in handlers]
    names = {part.id for kind in kinds if kind for part in ast.walk(kind) if isinstance(part, ast.Name)}
    return None in kinds or bool(names & {"NameError", "Exception", "BaseException"})


def _compiled(node: Function, flags: int) -> types.CodeType:
    arguments = ast.arguments(
        posonlyargs=[ast.arg(arg.arg) for arg in node.args.posonlyargs],
        args=[ast.arg(arg.arg) for arg in node.args.args],
        vararg=node.args.vararg and ast.arg(node.args.vararg.arg),
        kwonlyargs=[ast.arg(arg.arg) for arg in node.args.kwonlyargs],
        kw_defaults=[None for _ in node.args.kwonlyargs],
        kwarg=node.args.kwarg and ast.arg(node.args.kwarg.arg),
        defaults=[],
    )
    statement: ast.stmt
    if isinstance(node, ast.Lambda):
        statement = ast.Expr(ast.Lambda(arguments, node.body))
    else:
        statement = type(node)(name=node.name, args=arguments, body=node.body, decorator_list=[])
        for parameter in getattr(node, "type_params", []):  # Python 3.12
            arguments.kwonlyargs.append(ast.arg(parameter.name))
            arguments.kw_defaults.append(None)
    module = ast.fix_missing_locations(ast.Module([statement], []))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        code = compile(module, "<cell>", "exec", flags | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    assert isinstance(code, types.CodeType)
    return code


def _uses_of_globals(module: types.CodeType) -> Iterator[dis.Instruction]:
    """Yield each use of a global in the code inside `module`, not in that of `module` itself."""
    waiting = [part for part in module.co_consts if isinstance(part, types.CodeType)]
    while waiting:
        code = waiting.pop(0)
        inner = [part for part in code.co_consts if isinstance(part, types.CodeType)]
        waiting += [part for part in inner if part.co_name != "__annotate__"]
        own = set(_OF_A_CLASS)
        for instruction in dis.get_instructions(code):
            # What a class's body has not stored itself, it looks up among the globals.
            if instruction.opname == "STORE_NAME":
                own.add(instruction.argval)
            looked_up = "GLOBAL" in instruction.opname or instruction.opname == "LOAD_NAME"
            if looked_up and instruction.argval not in own:
                yield instruction


_OF_A_CLASS = frozenset(
    ["__name__", "__module__", "__qualname__", "__class__", "__static_attributes__", "__firstlineno__"]
)


def _guarded_names(node: ast.AST) -> set[str]:
    """Return names that are read only where a `NameError` is handled."""
    guarded: set[str] = set()
    plain: set[str] = set()

    def visit(part: ast.AST, inside: bool) -> None:
        child: ast.AST
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load):
            (guarded if inside else plain).add(part.id)
        elif isinstance(part, (ast.Try, ast.TryStar)):
            safe = inside or catches_name_error(part.handlers)
            for child in part.body:
                visit(child, safe)
            for child in [*part.handlers, *part.orelse, *part.finalbody]:
                visit(child, inside)
        else:
            for child in ast.iter_child_nodes(part):
                visit(child, inside)

    visit(node, False)
    return guarded - plain
