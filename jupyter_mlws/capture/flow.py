# ruff: noqa: D102 - the methods have the names of the nodes that they visit
"""Follows a cell's statements in their order, and keeps account of which names are assigned where."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from jupyter_mlws.capture import magic_lines, trees
from jupyter_mlws.capture.account import Account, ClassBody, Found, Moment
from jupyter_mlws.capture.bodies import body_of, catches_name_error
from jupyter_mlws.capture.syntax import CellSyntaxError, parse_cell

if TYPE_CHECKING:
    from collections.abc import Iterator

_Loop = ast.While | ast.For | ast.AsyncFor
_ANNOTATIONS_FUTURE = 0x1000000  # CO_FUTURE_ANNOTATIONS
_ANNOTATIONS_RUN = sys.version_info < (3, 14)  # later versions evaluate them when they are asked for
_OPENS_NAMESPACE = frozenset({"exec", "globals", "locals", "vars"})


class Flow(ast.NodeVisitor):
    """Visits the trees of a cell, top level first; a function's body counts where the function is used."""

    def __init__(self) -> None:
        self._names = Account()
        self._breaks: list[list[Moment]] = []  # for each loop around
        self._continues: list[list[Moment]] = []
        self._flags = 0

    def run(self, source: str, *, line: int = 1) -> None:
        """Follow `source`, the first line of which is `line` of the cell. Raises `CellSyntaxError`."""
        tree, flags = parse_cell(source, line=line)
        self._flags |= flags
        try:
            self._all(tree.body)
        except RecursionError as error:
            raise CellSyntaxError("it is nested too deep", line=line, text="") from error

    def finish(self) -> Found:
        """Return what was found, after the last source."""
        return self._names.finish()

    # Ways through the cell

    def _all(self, nodes: Iterable[ast.AST | None]) -> None:
        for node in nodes:
            if node is not None:
                self.visit(node)

    def _way(self, nodes: Iterable[ast.AST | None], *, start: Moment) -> Moment:
        """Follow `nodes` from `start` without changing it, and return the moment at their end."""
        before, self._names.now = self._names.now, start.copy()
        self._all(nodes)
        after, self._names.now = self._names.now, before
        return after

    @contextmanager
    def _softly(self, soft: bool) -> Iterator[None]:
        self._names.soft += soft
        try:
            yield
        finally:
            self._names.soft -= soft

    def _branches(self, *ways: Iterable[ast.AST | None]) -> None:
        start = self._names.now.copy()
        self._names.now.become([self._way(way, start=start) for way in ways])

    def visit_If(self, node: ast.If) -> None:
        self.visit(node.test)
        if isinstance(node.test, ast.Constant):
            self._all(node.body if node.test.value else node.orelse)
        else:
            self._branches(node.body, node.orelse)

    def visit_IfExp(self, node: ast.IfExp) -> None:
        self.visit(node.test)
        self._branches([node.body], [node.orelse])

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        self.visit(node.values[0])
        for value in node.values[1:]:
            self._branches([value], [])

    def visit_While(self, node: ast.While) -> None:
        self.visit(node.test)
        endless = trees.is_true(node.test)
        self._loop(node, node.body, skippable=not endless, endless=endless)

    def visit_For(self, node: ast.For | ast.AsyncFor) -> None:
        self.visit(node.iter)
        self._loop(node, [node.target, *node.body], skippable=not trees.has_items(node.iter), endless=False)

    visit_AsyncFor = visit_For

    def _loop(self, node: _Loop, round_: Sequence[ast.AST], *, skippable: bool, endless: bool) -> None:
        """Follow a loop's rounds; `skippable`: there may be none, `endless`: only `break` ends it."""
        start = self._names.now.copy()
        start.maybe |= trees.stored_names(node)  # the second round sees what the first assigned
        self._breaks.append([])
        self._continues.append([])
        around = self._way(round_, start=start)
        ways = [around, *self._continues.pop(), *([start] if skippable else [])]
        ended = Moment(maybe=set(start.maybe), dead=True)
        if not endless:
            ended.become(ways)
        after = self._way(node.orelse, start=ended)
        self._names.now.become([after, *self._breaks.pop()])
        self._names.now.maybe |= start.maybe | around.maybe

    def visit_Break(self, node: ast.Break) -> None:
        self._breaks[-1].append(self._names.now.copy())
        self._names.now.dead = True

    def visit_Continue(self, node: ast.Continue) -> None:
        self._continues[-1].append(self._names.now.copy())
        self._names.now.dead = True

    def visit_Raise(self, node: ast.Raise) -> None:
        self.generic_visit(node)
        self._names.now.dead = True

    def visit_Try(self, node: ast.Try | ast.TryStar) -> None:
        start = self._names.now.copy()
        with self._softly(catches_name_error(node.handlers)):
            body = self._way(node.body, start=start)
        # Anything of the body may have been done when a handler begins.
        failed = start.copy()
        failed.maybe |= body.maybe | trees.stored_names(*node.body)
        failed.bodies = {**body.bodies, **failed.bodies}
        ways = [self._way(node.orelse, start=body)]
        ways += [self._way([handler], start=failed) for handler in node.handlers]
        anywhere = failed.copy()
        anywhere.maybe = anywhere.maybe.union(*(way.maybe for way in ways))
        final = self._way(node.finalbody, start=anywhere)
        self._names.now.become(ways)
        self._names.now.assigned |= final.assigned - anywhere.assigned
        self._names.now.of_class |= final.of_class - anywhere.of_class
        self._names.now.maybe |= final.maybe
        self._names.now.dead = self._names.now.dead or final.dead

    visit_TryStar = visit_Try

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        self._all([node.type])
        before = node.name in self._names.found.defines
        if node.name:
            self._names.bind(node.name)
        self._all(node.body)
        if node.name:
            self._names.forget(node.name)
            if not before:
                self._names.found.defines.pop(node.name, None)

    def visit_Match(self, node: ast.Match) -> None:
        self.visit(node.subject)
        last = node.cases[-1]
        certain = (
            last.guard is None and isinstance(last.pattern, ast.MatchAs) and last.pattern.pattern is None
        )
        rest: list[list[ast.AST]] = [] if certain else [[]]
        self._branches(*([case.pattern, case.guard, *case.body] for case in node.cases), *rest)

    def visit_MatchAs(self, node: ast.MatchAs | ast.MatchStar) -> None:
        self.generic_visit(node)
        if node.name:
            self._names.bind(node.name)

    visit_MatchStar = visit_MatchAs

    def visit_MatchMapping(self, node: ast.MatchMapping) -> None:
        self.generic_visit(node)
        if node.rest:
            self._names.bind(node.rest)

    # Reads and assignments

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            self._names.read(node.id)
        elif isinstance(node.ctx, ast.Store):
            self._names.bind(node.id)
        else:
            self._names.read(node.id)
            self._names.forget(node.id)

    def visit_Assign(self, node: ast.Assign) -> None:
        self.visit(node.value)
        names = [target for target in node.targets if isinstance(target, ast.Name)]
        if isinstance(node.value, ast.Lambda) and len(names) == len(node.targets):
            for target in names:
                self._names.bind(target.id, body=body_of(node.value, flags=self._flags))
        else:
            self._all(node.targets)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        if isinstance(node.target, ast.Name):
            self._names.read(node.target.id)
        self.visit(node.value)
        self.visit(node.target)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self._all([node.value])
        self._annotation(node.annotation)
        if node.value is not None or not isinstance(node.target, ast.Name):
            self.visit(node.target)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self.visit(node.value)
        hidden, self._names.hidden = self._names.hidden, []
        self._names.bind(node.target.id)  # in a comprehension too it is the cell's own variable
        self._names.hidden = hidden

    def visit_Compare(self, node: ast.Compare) -> None:
        asks = isinstance(node.left, ast.Constant) and isinstance(node.ops[0], (ast.In, ast.NotIn))
        if asks and any(trees.lists_names(comparator) for comparator in node.comparators):
            assert isinstance(node.left, ast.Constant)
            if isinstance(node.left.value, str):  # `"df" in globals()`
                self._names.read(node.left.value, required=False)
        self.generic_visit(node)

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self._names.imports(alias.asname or alias.name.partition(".")[0])

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        for alias in node.names:
            if alias.name == "*":
                self._names.open = True
            else:
                self._names.imports(alias.asname or alias.name)

    def visit_TypeAlias(self, node: ast.AST) -> None:
        """`type X = ...` of Python 3.12: its value is evaluated when it is asked for."""
        with self._softly(True), self._hiding(trees.type_parameters(node)):
            self._all([getattr(node, "value", None)])
        name = getattr(node, "name", None)
        if isinstance(name, ast.Name):
            self._names.bind(name.id)

    # Comprehensions, functions and classes

    def visit_ListComp(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp) -> None:
        self._comprehension(node.generators, [node.elt])

    visit_SetComp = visit_ListComp
    visit_GeneratorExp = visit_ListComp

    def visit_DictComp(self, node: ast.DictComp) -> None:
        self._comprehension(node.generators, [node.key, node.value])

    @contextmanager
    def _hiding(self, names: set[str]) -> Iterator[None]:
        self._names.hidden.append(names)
        try:
            yield
        finally:
            self._names.hidden.pop()

    def _comprehension(self, generators: list[ast.comprehension], results: list[ast.expr]) -> None:
        self.visit(generators[0].iter)
        own = {name.id for part in generators for name in ast.walk(part.target) if isinstance(name, ast.Name)}
        with self._hiding(own):
            before = set(self._names.now.assigned)
            for index, part in enumerate(generators):
                self._all([part.iter] if index else [])
                self._targets_in_comprehension(part.target)
                self._all(part.ifs)
            self._all(results)
        self._names.now.assigned = before  # there may have been no round at all

    def _targets_in_comprehension(self, target: ast.expr) -> None:
        """`for a[i] in ...` reads; plain names are the comprehension's own."""
        for part in ast.walk(target):
            if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load):
                self._names.read(part.id)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self._all([*node.args.defaults, *node.args.kw_defaults])
        body = body_of(node, flags=self._flags)
        if self._names.classes:
            self._names.classes[-1].methods.add(body)
        for name, required in body.reads.items():
            self._names.read(name, required=required, late=True)

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        own = node.args
        self._all([*node.decorator_list, *own.defaults, *own.kw_defaults])
        arguments = [*own.posonlyargs, *own.args, *own.kwonlyargs, own.vararg, own.kwarg]
        with self._hiding(trees.type_parameters(node)):
            for annotation in [*(argument.annotation for argument in arguments if argument), node.returns]:
                self._annotation(annotation)
        self._names.bind(node.name, body=body_of(node, flags=self._flags))

    visit_AsyncFunctionDef = visit_FunctionDef

    def _annotation(self, annotation: ast.expr | None) -> None:
        if annotation is None or self._flags & _ANNOTATIONS_FUTURE:
            return
        with self._softly(not _ANNOTATIONS_RUN):
            self.visit(annotation)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._all(node.decorator_list)
        parameters = trees.type_parameters(node)
        with self._hiding(parameters):
            self._all([*node.bases, *(keyword.value for keyword in node.keywords)])
        self._names.classes.append(ClassBody(around=self._names.now.of_class))
        self._names.now.of_class = {"__module__", "__qualname__", *parameters}
        self._all(node.body)
        ended = self._names.classes.pop()
        self._names.now.of_class = ended.around
        methods = ended.methods
        for parameter in parameters:
            methods.reads.pop(parameter, None)
        self._names.bind(node.name, body=methods)

    # IPython's own syntax

    def visit_Call(self, node: ast.Call) -> None:
        call = magic_lines.shell_call(node)
        if call is None:
            self.generic_visit(node)
            for name in magic_lines.names_in_query(node):
                self._names.read(name, required=False)
            opens = isinstance(node.func, ast.Name) and node.func.id in _OPENS_NAMESPACE
            self._names.open = self._names.open or opens
            return
        with self._softly(True):
            self._all(magic_lines.expanded(call.line))
        if call.method == "run_line_magic":
            self._line_magic(call)
        elif call.method == "run_cell_magic":
            self._cell_magic(call, line=node.lineno + 1)

    def _line_magic(self, call: magic_lines.ShellCall) -> None:
        if call.name in magic_lines.RUNS_CODE:
            self._code_in_line(magic_lines.code_of(call), local=call.name in magic_lines.KEEPS_LOCAL)
        elif call.name in ("pinfo", "pinfo2", "store"):
            with self._softly(True):
                self._code_in_line(call.line, local=True)
        self._names.open = self._names.open or call.name in magic_lines.DEFINES_UNSEEN

    def _code_in_line(self, code: str, *, local: bool) -> None:
        """Follow the Python in a magic's line; what is none there fails, if at all, when it runs."""
        try:
            self._inner(code, line=1, local=local)
        except CellSyntaxError:
            return

    def _cell_magic(self, call: magic_lines.ShellCall, *, line: int) -> None:
        if call.name in magic_lines.RUNS_CELL:
            local = call.name in magic_lines.KEEPS_LOCAL
            if call.name in magic_lines.RUNS_CODE and local:
                # The line of %%timeit is its set-up: the body sees its names, the notebook does not.
                setup = magic_lines.code_of(call)
                self._inner(f"{setup}\n{call.body}" if _parses(setup) else call.body, line=line, local=True)
            else:
                self._inner(call.body, line=line, local=False)
        elif call.name not in magic_lines.NO_PYTHON:
            with self._softly(True):
                self._code_in_line(call.body, local=False)
            self._names.open = True
        for name in magic_lines.assigned_by_cell_magic(call):
            self._names.bind(name)

    def _inner(self, code: str, *, line: int, local: bool) -> None:
        before, defines = self._names.now.copy(), dict(self._names.found.defines)
        self.run(code, line=line)
        if local:
            self._names.now, self._names.found.defines = before, defines


def _parses(code: str) -> bool:
    try:
        parse_cell(code)
    except CellSyntaxError:
        return False
    return True
