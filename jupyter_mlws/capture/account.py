"""The account of a cell's names: what is read and what is assigned, at each point and in the end."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from dataclasses import dataclass, field

from jupyter_mlws.capture.bodies import Body
from jupyter_mlws.capture.portable import is_shells_own

_BUILTINS = frozenset(dir(builtins)) | {"display"}


@dataclass
class Moment:
    """What is known at one point of the cell."""

    assigned: set[str] = field(default_factory=set)
    """Certainly assigned by the cell."""
    maybe: set[str] = field(default_factory=set)
    """Assigned on some way that leads here; holds `assigned`."""
    bodies: dict[str, Body] = field(default_factory=dict)
    """What a name, a function or class, reads when it is used."""
    of_class: set[str] = field(default_factory=set)
    """Certainly assigned in the body of the class around."""
    dead: bool = False
    """Nothing leads here: behind `raise`, `break` and the like."""

    def copy(self) -> Moment:
        """Return a moment of its own that starts from this one."""
        return Moment(set(self.assigned), set(self.maybe), dict(self.bodies), set(self.of_class), self.dead)

    def become(self, ways: Sequence[Moment]) -> None:
        """Be the point where `ways` meet again."""
        alive = [way for way in ways if not way.dead]
        self.dead = not alive
        if alive:
            self.assigned = set.intersection(*(way.assigned for way in alive))
            self.of_class = set.intersection(*(way.of_class for way in alive))
        self.maybe = set().union(*(way.maybe for way in ways))
        self.bodies = {}
        for way in ways:
            for name, body in way.bodies.items():
                merged = self.bodies.setdefault(name, Body())
                if merged is not body:
                    merged.add(body)


@dataclass
class Found:
    """What `Flow` found; dicts and sets as in `CellNames`."""

    needs: dict[str, None] = field(default_factory=dict)
    required: set[str] = field(default_factory=set)
    defines: dict[str, None] = field(default_factory=dict)
    builtins: dict[str, None] = field(default_factory=dict)


@dataclass
class ClassBody:
    """The body of a class that is being followed."""

    around: set[str]
    """`of_class` of the class around."""
    bodies: dict[str, Body] = field(default_factory=dict)
    methods: Body = field(default_factory=Body)
    """What all its methods read."""


class Account:
    """Which names are read and assigned, kept while a cell is followed.

    `now` is the point that was reached. Names in `hidden` are variables of the comprehensions around it;
    `classes` are the classes around.
    """

    def __init__(self) -> None:
        self.now = Moment()
        self.found = Found()
        self.hidden: list[set[str]] = []
        self.classes: list[ClassBody] = []
        self.soft = 0
        """Above 0 where a read may fail: a NameError is handled, or IPython leaves the text as it is."""
        self.open = False
        """Whether names may have come that nobody can see: `from x import *`, exec."""
        self._late: set[str] = set()  # read in bodies: must exist somewhere, not necessarily before
        self._imported: set[str] = set()

    def read(self, name: str, *, required: bool = True, late: bool = False) -> None:
        """Note a read of `name`: `required` if it must exist, `late` if only when a body runs, later."""
        if any(name in hidden for hidden in self.hidden):
            return
        if self.classes and not self.hidden and not late:
            self._use(self.classes[-1].bodies.get(name, Body()))
            if name in self.now.of_class:
                return
        if name not in self.now.assigned and not self.now.dead:
            self._needed(name, required=required and not self.soft, late=late)
        if name in self.now.bodies:
            self._use(self.now.bodies[name])

    def _needed(self, name: str, *, required: bool, late: bool) -> None:
        if is_shells_own(name, {}):
            return
        if name in _BUILTINS:
            self.found.builtins[name] = None
            return
        self.found.needs[name] = None
        if required and name not in self.now.maybe and not self.open:
            (self._late if late else self.found.required).add(name)

    def _use(self, body: Body) -> None:
        """A function or class may be called now, and what it uses in its turn."""
        waiting, seen = [body], {id(body)}
        while waiting:
            body = waiting.pop()
            for read, required in body.reads.items():
                if read not in self.now.assigned and not self.now.dead:
                    self._needed(read, required=required and not self.soft, late=True)
                used = self.now.bodies.get(read)
                if used and id(used) not in seen:
                    seen.add(id(used))
                    waiting.append(used)
            for assigned in body.assigns:
                self._assign_global(assigned, certain=False)

    def bind(self, name: str, *, body: Body | None = None) -> None:
        """Note an assignment to `name`; `body` is what a function or class reads when it is used."""
        if self.classes and not self.hidden:
            self.now.of_class.add(name)
            if body:
                self.classes[-1].bodies.setdefault(name, Body()).add(body)
                self.classes[-1].methods.add(body)
            return
        self._assign_global(name, certain=not self.hidden)
        self.now.bodies.pop(name, None)
        if body:
            self.now.bodies[name] = body

    def _assign_global(self, name: str, *, certain: bool) -> None:
        if not is_shells_own(name, {}):
            self.found.defines[name] = None
        self.now.maybe.add(name)
        if certain:
            self.now.assigned.add(name)

    def imports(self, name: str) -> None:
        """Note that `name` is imported."""
        if self.classes:
            self.now.of_class.add(name)
            return
        self._imported.add(name)
        self.now.assigned.add(name)
        self.now.maybe.add(name)
        self.now.bodies.pop(name, None)

    def forget(self, name: str) -> None:
        """Note that `name` is deleted."""
        if self.classes:
            self.now.of_class.discard(name)
            return
        self.now.assigned.discard(name)
        self.now.maybe.discard(name)
        self.now.bodies.pop(name, None)

    def finish(self) -> Found:
        """Return what was found, after the last source."""
        for body in list(self.now.bodies.values()):
            for name in body.reads:  # of functions that the cell itself may never use
                self.read(name, required=False)
        found = self.found
        found.required |= self._late - set(found.defines) - self._imported
        for name in [name for name in found.defines if name not in self.now.maybe]:
            del found.defines[name]
        return found
