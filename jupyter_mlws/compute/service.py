"""What users do with computes: make them, look, check, delete."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from jupyter_mlws.compute.asking import read_request, refuse_local
from jupyter_mlws.compute.looking import look
from jupyter_mlws.compute.records import Records
from jupyter_mlws.compute.roster import Computes, unknown
from jupyter_mlws.compute.seeing import Use, local_as_seen, row_as_seen
from jupyter_mlws.compute.warm_kernels import WarmKernels
from jupyter_mlws.model.compute import Compute, ComputeCheck, ComputeCreate, ComputeSpec
from jupyter_mlws.model.errors import Conflict, Invalid
from jupyter_mlws.store import audit
from jupyter_mlws.store import computes as rows
from jupyter_mlws.store import jobs as job_rows
from jupyter_mlws.store.computes import ComputeRow
from jupyter_mlws.store.tokens import Tokens
from jupyter_mlws.store.transaction import Transaction

_END_SECONDS = 3.0  # that a kernel which waits there may take to be ended


class ComputeUnreachable(Invalid):
    """A compute was to be made, and its server cannot be used."""

    code = "compute_unreachable"


class ComputeBusy(Conflict):
    """Jobs run on the compute, or wait for it."""

    code = "compute_busy"


class ComputeChanged(Conflict):
    """Somebody else changed the compute at the same moment."""

    code = "compute_changed"


class _Token(NamedTuple):
    """The token that a compute is to have."""

    value: str | None
    id: str | None = None
    """Of the file that the compute has for this address; None for a new file."""
    renewed: bool = False
    """Whether that file is to be written anew."""


class ComputeService:
    """The computes of a workspace."""

    def __init__(
        self, computes: Computes, *, records: Records, tokens: Tokens, warm: WarmKernels | None = None
    ) -> None:
        """`warm` keeps kernels ready on computes; they end with them."""
        self._computes = computes
        self._warm = warm
        self._records = records
        self._tokens = tokens

    async def list(self) -> Sequence[Compute]:
        """Return all computes by name, with what was last known of them."""

        def run(tx: Transaction) -> list[Compute]:
            use = Use.now(tx)
            found = [row_as_seen(row, self._computes.backend(row), use) for row in rows.read(tx)]
            return [*found, local_as_seen(self._computes.local, use)]

        return sorted(await self._records.read(run), key=lambda compute: compute.name)

    async def get(self, name: str) -> Compute:
        """Return a compute. Raises `ComputeUnknown`."""

        def run(tx: Transaction) -> Compute:
            if name == self._computes.local.name:
                return local_as_seen(self._computes.local, Use.now(tx))
            row = self._find(tx, name)
            return row_as_seen(row, self._computes.backend(row), Use.now(tx))

        return await self._records.read(run)

    async def create(self, name: str, asked: ComputeCreate, *, who: str) -> tuple[Compute, bool]:
        """Make a compute, or change the one of this name; return it, and whether it is new.

        The same again changes nothing. Slots, price and token may change at any time; type, URL and kernel
        only while no job runs there. Raises the errors of `read_request`, `ComputeUnreachable`, `ComputeBusy`
        and `ComputeChanged`.
        """
        spec, given = read_request(name, asked, types=self._computes.builders)
        token = await self._token(spec, given)
        check: ComputeCheck | None = None
        if asked.check:
            check = await look(self._computes.sketch(spec, token=token.value), secret=token.value)
            if not check.reachable:
                raise ComputeUnreachable(
                    check.message or f"The server at {spec.url} cannot be used.",
                    hint="Mend that, or create it without a check (--no-check, check=False).",
                )
        id = token.id
        if id is None and token.value is not None:
            id = await asyncio.to_thread(self._tokens.keep, token.value)
        try:
            stored = await self._records.write(
                lambda tx: self._save(tx, spec, id, reused=token.id, check=check, who=who), durable=True
            )
        except Exception:  # after a cancellation it may be written all the same: then the sweep decides
            await self._tidy(None if token.id else id)
            raise
        if token.renewed and token.value is not None:
            # In its place: jobs that run there find it when they connect again.
            await asyncio.to_thread(self._tokens.keep, token.value, id=id)
        if stored is not None and (_place(stored.spec), stored.token) != (_place(spec), id):
            await self._cool(name)
        await self._tidy(stored.token if stored is not None and stored.token != id else None)
        return await self.get(name), stored is None

    async def check(self, name: str) -> ComputeCheck:
        """Look whether a compute can be used now, and keep what was found. Raises `ComputeUnknown`."""
        if name == self._computes.local.name:
            return await look(self._computes.local, secret=None)
        row = await self._records.read(lambda tx: self._find(tx, name))
        secret = await asyncio.to_thread(self._tokens.read, row.token)
        found = await look(self._computes.backend(row), secret=secret)

        def run(tx: Transaction) -> None:
            now = rows.find(tx, name)
            # Of what it is now nothing is known, if it was changed meanwhile.
            if now is not None and (now.spec, now.token) == (row.spec, row.token):
                rows.save(tx, now._replace(check=found, checked_at=datetime.now(UTC)))

        await self._records.write(run)
        return found

    async def delete(self, name: str, *, who: str) -> None:
        """Delete a compute and its token. Raises `ComputeUnknown`, `ComputeReserved` and `ComputeBusy`."""
        refuse_local(name)

        def run(tx: Transaction) -> ComputeRow:
            row = self._find(tx, name)
            running, waiting = job_rows.unfinished(tx, name)
            if running or waiting:
                raise ComputeBusy(
                    f"The compute {name!r} is in use: {_in_words(running, waiting)}.",
                    hint="Wait for their end or cancel them, then delete it.",
                )
            rows.delete(tx, name)
            audit.record(tx, who, "delete", "compute", name, _summary(row), None)
            return row

        row = await self._records.write(run, durable=True)
        await self._cool(name)
        await self._tidy(row.token)

    def _find(self, tx: Transaction, name: str) -> ComputeRow:
        row = rows.find(tx, name)
        if row is None:
            raise unknown(name, self._computes.seen(tx))
        return row

    async def _token(self, spec: ComputeSpec, given: str | None) -> _Token:
        """Return the token of a compute: what is given, else what it has, if that was given for this URL."""
        before = await self._records.read(lambda tx: rows.find(tx, spec.name))
        if before is None or (before.spec.type, before.spec.url) != (spec.type, spec.url):
            return _Token(given or None)
        if given == "":
            return _Token(None)
        has = await asyncio.to_thread(self._tokens.read, before.token)
        return _Token(has if given is None else given, before.token, renewed=given not in (None, has))

    async def _tidy(self, gone: str | None) -> None:
        """Remove a token that no row names any more, and those of whoever was killed on the way."""
        held = set() if self._warm is None else await self._warm.held_tokens()
        if gone not in held:
            await asyncio.to_thread(self._tokens.forget, gone)
        found = await self._records.read(rows.read)
        known = {row.token for row in found if row.token is not None}
        await asyncio.to_thread(self._tokens.sweep, known | held)

    async def _cool(self, name: str) -> None:
        """End the kernel that waits on a compute as it was until now, while its token is there."""
        if self._warm is not None:
            await self._warm.end(name, seconds=_END_SECONDS)

    def _save(
        self,
        tx: Transaction,
        spec: ComputeSpec,
        token: str | None,
        *,
        reused: str | None,
        check: ComputeCheck | None,
        who: str,
    ) -> ComputeRow | None:
        """Write the compute; return what was there before."""
        now = datetime.now(UTC)
        stored = rows.find(tx, spec.name)
        if reused is not None and (stored is None or stored.token != reused):
            raise ComputeChanged(
                f"Somebody else changed the compute {spec.name!r} just now.", hint="Look at it and try again."
            )
        made = ComputeRow(spec, token, who, now, check, None if check is None else now)
        if stored is None:
            audit.record(tx, who, "create", "compute", spec.name, None, _summary(made))
            rows.save(tx, made)
            return None
        made = made._replace(created_by=stored.created_by, created_at=stored.created_at)
        if (made.spec, made.token) == (stored.spec, stored.token):
            if check is not None:
                rows.save(tx, made)
            return stored
        running, waiting = job_rows.unfinished(tx, spec.name)
        if running and _place(spec) != _place(stored.spec):
            raise ComputeBusy(
                f"The compute {spec.name!r} cannot move now: {_in_words(running, waiting)}.",
                hint=f"It is at {stored.spec.url}. Wait for their end, cancel them, or choose another name.",
            )
        audit.record(tx, who, "change", "compute", spec.name, _summary(stored), _summary(made))
        rows.save(tx, made)
        return stored


def _place(spec: ComputeSpec) -> tuple[object, ...]:
    """Return what of a compute a job that runs there depends on."""
    return spec.type, spec.url, spec.kernel


def _in_words(running: int, waiting: int) -> str:
    parts = []
    if running:
        parts.append(f"{running} {'job runs' if running == 1 else 'jobs run'} there")
    if waiting:
        parts.append(f"{waiting} {'job waits' if waiting == 1 else 'jobs wait'} for it")
    return " and ".join(parts)


def _summary(row: ComputeRow) -> dict[str, object]:
    return {**row.spec.model_dump(mode="json", exclude={"name"}), "has_token": row.token is not None}
