"""What the computes need of the database."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from jupyter_mlws.store.transaction import Transaction

T = TypeVar("T")


class Records(Protocol):
    """The database, from the event loop."""

    async def read(self, action: Callable[[Transaction], T]) -> T:
        """Run `action` in a read transaction."""

    async def write(self, action: Callable[[Transaction], T], *, durable: bool = False) -> T:
        """Run `action` in a write transaction."""
