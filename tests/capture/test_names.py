# ruff: noqa: E501 - a table is read in rows
"""Which names a cell needs and defines."""

from __future__ import annotations

import builtins
import contextlib
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jupyter_mlws.capture.names import CellNames, CellSyntaxError, analyze

# Source, needs, defines, optional; each of the three as words.
CASES = [
    ("", "", "", ""),
    ("# only a comment", "", "", ""),
    ("x = a + b; y = x", "a b", "x y", ""),
    ("y = x\nx = 1", "x", "y x", ""),
    ("x += 1", "x", "x", ""),
    ("x[0] = 1; y.z = 2; w[k] += 1", "x y w k", "", ""),
    ("a, (b, *c) = value", "value", "a b c", ""),
    ("x: int = 3\ny: int", "", "x", ""),
    ("x: Kind = 3", "Kind", "x", ""),
    ("del x", "x", "", ""),
    ("x = 1; del x", "", "", ""),
    ("x = 1; del x; print(x)", "x", "", ""),
    # imports are known, but not what the cell assigned
    ("import pandas as pd, os.path\nfrom m import f as g\npd; os; g", "", "", ""),
    ("print(np)\nimport numpy as np", "np", "", ""),
    ("from math import *\nprint(sin(1))", "sin", "", "sin"),
    # conditions
    ("if c:\n    x = 1\nprint(x)", "c x", "x", "x"),
    ("if c:\n    x = 1\nelse:\n    x = 2\nprint(x)", "c", "x", ""),
    ("if c:\n    x = 1\nelse:\n    raise ValueError\nprint(x)", "c", "x", ""),
    ("if True:\n    x = 1\nprint(x)", "", "x", ""),
    ("x = 1 if c else d", "c d", "x", ""),
    ("(a and (x := 1)) or x", "a x", "x", "x"),
    # loops
    ("for i in rows:\n    t = i\nprint(t)", "rows t", "i t", "t"),
    ("for i in range(3):\n    t = i\nprint(t, i)", "", "i t", ""),
    ("for i in range(n):\n    t = i\nprint(t)", "n t", "i t", "t"),
    ("for i in [1, 2]:\n    if c: continue\n    t = i\nprint(t)", "c t", "i t", "t"),
    ("for i in rows:\n    if i: use(last)\n    last = i", "rows use last", "i last", "last"),
    ("while True:\n    v = get()\n    if v: break\nprint(v)", "get", "v", ""),
    ("while c:\n    v = 1\nprint(v)", "c v", "v", "v"),
    ("for i in rows:\n    break\nelse:\n    done = 1\nprint(done)", "rows done", "i done", "done"),
    # try
    ("try:\n    df\nexcept NameError:\n    df = 1\nprint(df)", "df", "df", "df"),
    ("try:\n    a = risky()\nexcept OSError as e:\n    print(e, a)\nelse:\n    b = a", "risky a", "a b", "a"),
    ("try:\n    pass\nfinally:\n    x = 1\nprint(x)", "", "x", ""),
    ("try:\n    x = 1\nexcept* OSError as group:\n    raise\nprint(x)", "", "x", ""),
    # match
    ("match v:\n    case {'a': a, **rest}: r = a\n    case [1, *tail]: r = tail\n    case _: r = 0\nr", "v", "a rest r tail", ""),
    ("match v:\n    case Point(x=0) as p: pass\nprint(p)", "v Point p", "p", "p"),
    # functions: a body counts where the function is used
    ("def f(): return later", "later", "f", "later"),
    ("def f(): return g(k)\ndef g(z): return z\nk = 1\nf()", "", "f g k", ""),
    ("def f(): return k\nf()\nk = 1", "k", "f k", "k"),
    ("def f(): return missing\nf()", "missing", "f", ""),
    ("def f(a, *b, c=dflt, **d) -> R:\n    x = a + b + c + d\n    return x", "dflt R", "f", ""),
    ("@deco(arg)\ndef f(): pass", "deco arg", "f", ""),
    ("def f(x: 'Later'): pass", "", "f", ""),
    ("from __future__ import annotations\ndef f(x: Later): pass\ny: Other = 1", "", "f y", ""),
    ("def f():\n    global n\n    n = 1\nf()\nprint(n)", "n", "f n", "n"),
    ("def f():\n    def g():\n        nonlocal q\n        q = free\n    q = 1\n    g()\nf()", "free", "f", ""),
    ("def f():\n    try:\n        return cache\n    except NameError:\n        return None\nf()", "cache", "f", "cache"),
    ("async def f():\n    async with lock as a:\n        async for x in a: yield x\nf()", "lock", "f", ""),
    ("await fetch(url)\nasync for x in it: pass", "fetch url it", "x", ""),
    ("f = lambda a, b=dflt: a + outer\nf(1)", "dflt outer", "f", ""),
    ("register(lambda: later)\nlater = 1", "register later", "later", "later"),
    ("def f(n): return f(n - 1)\nf(3)", "", "f", ""),
    # comprehensions have variables of their own
    ("[q for q in xs if q > thr]", "xs thr", "", ""),
    ("{k: v for k, v in d.items() for w in v}", "d", "", ""),
    ("[i for i in range(3)]\nprint(i)", "i", "", ""),
    ("[last := e for e in es]\nprint(last)", "es last", "last", "last"),
    ("print([y for x in data if (y := f(x))])", "data f", "y", ""),
    # classes
    ("class A(Base, metaclass=Meta):\n    z = w\n    v = z\n    def m(self): return helper(z2)\nA()", "Base Meta w helper z2", "A", ""),
    ("class A:\n    k = 1\n    def m(self): return k", "k", "A", "k"),
    ("class A:\n    def m(self): return super().m(), __class__", "", "A", ""),
    ("class A:\n    f = staticmethod(lambda: outside)\nA.f()", "outside", "A", ""),
    # texts
    ('print(f"{a!r:>{w}} {b=}")', "a w b", "", ""),
    ("df.query('x > @thr')", "df thr", "", "thr"),
    ("if 'cfg' in globals(): use(cfg)", "cfg use", "", "cfg use"),
    ("with open(p) as fh, ctx() as (m, n): s = fh.read()", "p ctx", "fh m n s", ""),
    # what every kernel has
    ("display(In, Out, _, __name__); get_ipython(); exit()", "", "", ""),
    # IPython
    ("%matplotlib inline", "", "", ""),
    ("%timeit -n 10 -r3 f(x)", "f x", "", ""),
    ("%time y = f(x)", "f x", "y", ""),
    ("%%time\ny = f(x)", "f x", "y", ""),
    ("%%timeit s = make(1)\nt = use(s, z)", "make use z", "", ""),
    ("%%capture --no-stderr out\ny = f()", "f", "y out", ""),
    ("%%time\n%%capture out\ny = f()", "f", "y out", ""),
    ("!ls {folder}/{name.lower()} $where $$x", "folder name where", "", "folder name where"),
    ("files = !ls {folder}", "folder", "files", "folder"),
    ("!awk '{print $1}' x.txt", "", "", ""),
    ("%%bash --out text {arg}\necho $HOME", "arg", "text", "arg"),
    ("%%writefile x.py\nimport nothing; undefined", "", "", ""),
    ("%%unheard_of\nz = undefined", "undefined", "z", "undefined"),
    ("x?\ny.attr??", "x y", "", "x y"),
    ("%run other.py\nprint(of_other)", "of_other", "", "of_other"),
    ("exec(code)\nprint(unseen)", "code unseen", "", "unseen"),
    ("größe = π * ﬁ", "π fi", "größe", ""),  # identifiers are normalized as Python does
]  # fmt: skip


@pytest.mark.parametrize(
    ("source", "needs", "defines", "optional"), CASES, ids=[case[0][:40] for case in CASES]
)
def test_names_of_a_cell(source: str, needs: str, defines: str, optional: str) -> None:
    found = analyze(source)
    assert " ".join(found.needs) == needs
    assert " ".join(found.defines) == defines
    assert found.optional == set(optional.split())


def test_builtins_are_told_apart() -> None:
    assert analyze("print(max(xs))").builtins == ("print", "max")
    assert analyze("max = 1; max").builtins == ()


@pytest.mark.parametrize(
    ("source", "line", "text"),
    [
        ("for x in", 1, "for x in"),
        ("a = 1\n\nreturn 5", 3, "return 5"),
        ("\n\nx = (\n", 3, "x = ("),
        ("break", 1, "break"),
        ("%%time\nx = = 1", 2, "x = = 1"),
        ("x = 'abc", 1, "x = 'abc"),
        ("(" * 300, 1, "((("),
        ("-" * 20_000 + "1", 1, ""),
        ("x\0y", 1, ""),
        ("'\ud800'", 1, ""),
    ],
    ids=["for", "return", "paren", "break", "magic", "quote", "parens", "deep", "null", "surrogate"],
)
def test_a_syntax_error_names_its_line(source: str, line: int, text: str) -> None:
    with pytest.raises(CellSyntaxError) as raised:
        analyze(source)
    assert raised.value.line == line
    assert text in raised.value.text
    assert f"Line {line} of the cell is not valid Python: " in raised.value.message


def test_a_warning_of_the_compiler_is_no_error() -> None:
    assert analyze(r"x = '\d'; y = 1 is 1").defines == ("x", "y")


# Random cells are executed, and what they read is compared with what was foretold.

NAMES = st.sampled_from("abcdefg")


class Watched(dict[str, Any]):
    """A namespace that notes which of its first names are read before the cell assigns them."""

    def __init__(self, given: dict[str, Any]) -> None:
        super().__init__(given, __builtins__=builtins)
        self.given = given
        self.fresh = set(given)
        self.read: set[str] = set()

    def kept(self, name: str) -> bool:
        """Whether the cell has not assigned it. `global` makes Python go around `__setitem__`."""
        return name in self.fresh and super().get(name) is self.given[name]

    def assigned(self, name: str) -> bool:
        return name in self and not self.kept(name)

    def __getitem__(self, name: str) -> Any:
        if self.kept(name):
            self.read.add(name)
        return super().__getitem__(name)

    def __setitem__(self, name: str, value: Any) -> None:
        self.fresh.discard(name)
        super().__setitem__(name, value)

    def __delitem__(self, name: str) -> None:
        if self.kept(name):
            self.read.add(name)
        self.fresh.discard(name)
        super().__delitem__(name)


class Value(int):
    """Each is an object of its own."""


def _indented(block: str) -> str:
    return "\n".join("    " + line for line in block.splitlines())


def _expressions() -> st.SearchStrategy[str]:
    leaf = NAMES | st.integers(0, 3).map(str)
    return st.recursive(
        leaf,
        lambda inner: st.one_of(
            st.tuples(inner, inner).map(lambda p: f"same({p[0]}, {p[1]})"),
            st.tuples(inner, inner, inner).map(lambda p: f"({p[0]} if {p[1]} else {p[2]})"),
            st.tuples(NAMES, inner).map(lambda p: f"({p[0]} := {p[1]})"),
            st.tuples(inner, NAMES, inner).map(lambda p: f"same(*[{p[0]} for {p[1]} in items({p[2]})])"),
            st.tuples(NAMES, inner).map(lambda p: f"(lambda {p[0]}: {p[1]})(0)"),
            st.tuples(inner, inner).map(lambda p: f"({p[0]} and {p[1]})"),
        ),
        max_leaves=5,
    )


def _walrus_is_legal(source: str) -> bool:
    try:
        compile(source, "", "exec")
    except SyntaxError:
        return False
    return True


def _cells() -> st.SearchStrategy[str]:
    expression = _expressions()
    simple = st.one_of(
        st.tuples(NAMES, expression).map(lambda p: f"{p[0]} = {p[1]}"),
        st.tuples(NAMES, expression).map(lambda p: f"{p[0]} = same({p[0]}, {p[1]})"),
        expression,
        NAMES.map(lambda n: f"import math as {n}"),
        NAMES.map(lambda n: f"del {n}"),
    )
    block = st.recursive(
        simple,
        lambda inner: st.one_of(
            st.tuples(inner, inner).map("\n".join),
            st.tuples(expression, inner, inner).map(
                lambda p: f"if {p[0]}:\n{_indented(p[1])}\nelse:\n{_indented(p[2])}"
            ),
            st.tuples(NAMES, expression, inner).map(
                lambda p: f"for {p[0]} in items({p[1]}):\n{_indented(p[2])}"
            ),
            st.tuples(expression, inner, inner).map(
                lambda p: f"for _ in range(2):\n{_indented(p[1])}\n    if {p[0]}: break\n{_indented(p[2])}"
            ),
            st.tuples(inner, inner, inner).map(
                lambda p: (
                    f"try:\n{_indented(p[0])}\n    fail({len(p[1])})\nexcept ZeroDivisionError:\n{_indented(p[1])}"
                    f"\nfinally:\n{_indented(p[2])}"
                )
            ),
            st.tuples(NAMES, NAMES, expression).map(lambda p: f"def {p[0]}({p[1]}):\n    return {p[2]}"),
            st.tuples(NAMES, inner).map(lambda p: f"class {p[0]}:\n{_indented(p[1])}"),
            st.tuples(NAMES, NAMES, inner).map(
                lambda p: f"def {p[0]}():\n    global {p[1]}\n{_indented(p[2])}\ncall({p[0]})"
            ),
        ),
        max_leaves=8,
    )
    return block.filter(_walrus_is_legal)


def _fail(length: int) -> None:
    if length % 2:
        raise ZeroDivisionError


def _call(function: Any) -> None:
    try:
        function()
    except UnboundLocalError:
        return


TOOLS: dict[str, Any] = {
    "same": lambda *values: values[-1] if values else 0,
    "items": lambda value: [1, 2][: value if isinstance(value, int) else 1],
    "fail": _fail,
    "call": _call,
}


def _execute(source: str, given: dict[str, Any]) -> Watched:
    namespace = Watched({**TOOLS, **given})
    with contextlib.suppress(RecursionError, UnboundLocalError):
        exec(compile(source, "<cell>", "exec"), namespace)
    return namespace


@given(source=_cells())
@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow]
)
def test_what_a_cell_reads_was_foretold(source: str) -> None:
    found = analyze(source)
    everything = {name: Value(index % 3) for index, name in enumerate("abcdefg")}
    try:
        namespace = _execute(source, everything)
    except NameError:  # it read what it had itself deleted
        return
    assert namespace.read - set(TOOLS) <= set(found.needs)
    # With what was foretold alone it does the same.
    again = _execute(source, {name: everything[name] for name in found.needs if name in everything})
    for name in found.defines:
        assert namespace.assigned(name) == again.assigned(name)
    assigned = {name for name in "abcdefg" if namespace.assigned(name)}
    modules = {name for name in assigned if type(namespace[name]).__name__ == "module"}
    assert assigned - modules <= set(found.defines)


@given(source=st.text(max_size=60))
@settings(max_examples=200, deadline=None)
def test_any_text_is_analyzed_or_refused(source: str) -> None:
    try:
        assert isinstance(analyze(source), CellNames)
    except CellSyntaxError as error:
        assert error.line >= 1
