"""The computes of a workspace, asynchronously: make, look, check, delete."""

from __future__ import annotations

import builtins

from pydantic import ValidationError

from jupyter_mlws.client.transport import Door, segment
from jupyter_mlws.model.answers import ComputeList
from jupyter_mlws.model.compute import Compute, ComputeCheck, ComputeCreate
from jupyter_mlws.model.errors import Invalid


class ComputeInvalid(Invalid):
    """A compute was described with a value that no compute can have."""

    code = "compute_invalid"


class AsyncComputes:
    """Where jobs run."""

    def __init__(self, door: Door) -> None:
        self._door = door

    async def list(self) -> builtins.list[Compute]:
        """Return the computes of the workspace, with what was last known of them."""
        return (await self._door.get("/computes", ComputeList)).computes

    async def get(self, name: str) -> Compute:
        """Return one compute. Raises `NotFound`."""
        return await self._door.get(_path(name), Compute)

    async def create(
        self,
        name: str,
        *,
        url: str,
        type: str = "jupyter",
        token: str | None = None,
        slots: int = 1,
        price_per_hour: float = 0.0,
        kernel: str | None = None,
        check: bool = True,
    ) -> Compute:
        """Make a compute, or change the one of this name. See `Computes.create`."""
        try:
            body = ComputeCreate(
                type=type,
                url=url,
                token=token,
                slots=slots,
                price_per_hour=price_per_hour,
                kernel=kernel,
                check=check,
            )
        except ValidationError as error:
            raise _refused(error) from None
        return await self._door.send("PUT", _path(name), Compute, body=body)

    async def check(self, name: str) -> ComputeCheck:
        """Look whether a job could run there now. Raises `NotFound`."""
        return await self._door.send("POST", f"{_path(name)}/check", ComputeCheck)

    async def delete(self, name: str) -> None:
        """Delete a compute with its token. Raises `NotFound`, or `Conflict` while jobs run or wait there."""
        await self._door.json("DELETE", _path(name))


def _path(name: str) -> str:
    if not name or name in (".", ".."):
        # A path with such a segment would be another path.
        raise ComputeInvalid(
            f"{name!r} cannot be the name of a compute.",
            hint="Use 1 to 64 letters, digits, '.', '_' and '-', starting with a letter or digit.",
        )
    return f"/computes/{segment(name)}"


def _refused(error: ValidationError) -> ComputeInvalid:
    """Return what a failed validation means; a URL and a token are not shown, for the secrets in them."""
    first = error.errors(include_url=False)[0]
    field = str(first["loc"][0]) if first["loc"] else "compute"
    info = ComputeCreate.model_fields.get(field)
    value = "" if info is None or not info.repr else f" {str(first['input'])[:100]!r}"
    reason = first["msg"].removeprefix("Value error, ")
    return ComputeInvalid(
        f"The {field}{value} of the compute is not valid: {reason[:1].lower()}{reason[1:]}."
    )
