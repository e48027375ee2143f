"""Puts the numbered messages of a kernel into their order, and tells which are missing. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from jupyter_mlws.kernels.remote.codec import Wire


@dataclass
class Sequence:
    """Messages that arrive by two ways, twice or not at all, come out once and in order."""

    expected: int = 0
    """Number of the next message to hand on; all before it were."""
    known: int = 0
    """One more than the largest number that the kernel is known to have given."""
    _held: dict[int, Wire] = field(default_factory=dict)

    def take(self, wire: Wire, number: int) -> list[Wire]:
        """Take a message; return those whose turn it is now."""
        self.learn(number + 1)
        if number < self.expected:
            return []
        self._held.setdefault(number, wire)
        return self._ready()

    def learn(self, next_number: int) -> None:
        """Learn that the kernel has given all numbers below `next_number`."""
        self.known = max(self.known, next_number)

    def skip_to(self, number: int) -> tuple[int, list[Wire]]:
        """The kernel has nothing before `number` any more: return how many are lost, and what comes next."""
        lost = sum(missing not in self._held for missing in range(self.expected, number))
        ready = []
        while self.expected < number:
            if (wire := self._held.pop(self.expected, None)) is not None:
                ready.append(wire)
            self.expected += 1
        return lost, ready + self._ready()

    @property
    def lacks(self) -> bool:
        """Whether a message is known of and has not come."""
        return self.expected < self.known

    def _ready(self) -> list[Wire]:
        ready = []
        while (wire := self._held.pop(self.expected, None)) is not None:
            ready.append(wire)
            self.expected += 1
        return ready
