"""The gate: one workspace is open at a time, requests hold it open, a failure is told and tried again."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from jupyter_mlws.model.errors import MlwsError, NotReady
from jupyter_mlws.server import gate as gates
from jupyter_mlws.server.gate import Gate, PlatformRefused, WorkspaceClosed, WorkspaceOpening


@dataclass
class Opener:
    """Stands for the real services, which the other tests open: here the order of events is what counts."""

    failure: Exception | None = None
    may_open: asyncio.Event = field(default_factory=asyncio.Event)
    history: list[str] = field(default_factory=list)

    async def open(self, choice: str | None) -> Any:
        await self.may_open.wait()
        if self.failure is not None:
            raise self.failure
        self.history.append(f"open {choice}")

        async def close() -> None:
            self.history.append(f"close {choice}")

        def let_go() -> None:
            self.history.append(f"let go {choice}")

        return SimpleNamespace(name=choice, close=close, let_go=let_go)

    async def opened(self, services: Any) -> None:
        self.history.append(f"told {services.name}")

    def failed(self, error: MlwsError) -> None:
        self.history.append(f"failed {error.info.code}")


async def nothing() -> None:
    return


def make(opener: Opener) -> Gate:
    return Gate(choice="a", open_services=opener.open, opened=opener.opened, failed=opener.failed)


async def test_requests_wait_for_the_opening() -> None:
    opener = Opener()
    gate = make(opener)
    gate.start()

    async def ask() -> str:
        async with gate.use() as services:
            return str(services.name)

    asking = [asyncio.create_task(ask()) for _ in range(3)]
    await asyncio.sleep(0)
    opener.may_open.set()
    assert await asyncio.gather(*asking) == ["a", "a", "a"]
    assert opener.history == ["open a", "told a"]


async def test_they_do_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gates, "_PATIENCE", 0.01)
    gate = make(Opener())
    gate.start()
    with pytest.raises(WorkspaceOpening):
        async with gate.use():
            pass
    await gate.close()


async def test_a_failure_is_told_to_each_and_tried_again_later(monkeypatch: pytest.MonkeyPatch) -> None:
    opener = Opener(failure=NotReady("It is read-only.", code="workspace_read_only"))
    opener.may_open.set()
    gate = make(opener)
    gate.start()
    for _ in range(3):
        with pytest.raises(NotReady, match="read-only"):
            async with gate.use():
                pass
    assert opener.history == ["failed workspace_read_only"]
    opener.failure = None
    monkeypatch.setattr(gates, "_RETRY_AFTER", 0.0)
    async with gate.use() as services:
        assert services.name == "a"


async def test_an_unexpected_failure_is_a_sentence() -> None:
    opener = Opener(failure=ValueError("odd"))
    opener.may_open.set()
    gate = make(opener)
    gate.start()
    with pytest.raises(NotReady, match="ValueError: odd"):
        async with gate.use():
            pass


async def test_the_old_one_is_closed_when_its_requests_are_answered(wait_until: Any) -> None:
    opener = Opener()
    opener.may_open.set()
    gate = make(opener)
    gate.start()
    async with gate.use() as old:
        changing = asyncio.create_task(gate.change("b", chosen=nothing))
        await wait_until(lambda: gate.current is not old)
        async with gate.use() as new:
            assert new.name == "b"
        assert "close a" not in opener.history
    await changing
    assert opener.history == ["open a", "told a", "open b", "told b", "let go a", "close a"]


async def test_one_that_cannot_be_opened_changes_nothing() -> None:
    opener = Opener()
    opener.may_open.set()
    gate = make(opener)
    gate.start()
    async with gate.use():
        pass
    opener.failure = NotReady("no")
    with pytest.raises(NotReady):
        await gate.change("b", chosen=nothing)
    async with gate.use() as services:
        assert services.name == "a"


async def test_closed_is_closed() -> None:
    opener = Opener()
    opener.may_open.set()
    gate = make(opener)
    gate.start()
    async with gate.use():
        pass
    await gate.close()
    assert opener.history[-1] == "close a"
    with pytest.raises(WorkspaceClosed):
        async with gate.use():
            pass


async def test_windows_is_refused_with_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    opener = Opener()
    opener.may_open.set()
    gate = make(opener)
    monkeypatch.setattr(sys, "platform", "win32")
    gate.start()
    with pytest.raises(PlatformRefused, match="Windows"):
        async with gate.use():
            pass
    assert opener.history == ["failed platform_refused"]
