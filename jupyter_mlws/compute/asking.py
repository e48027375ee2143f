"""Reads what a user asks for into a compute that can be. Pure."""

from __future__ import annotations

from collections.abc import Collection

from pydantic import TypeAdapter, ValidationError

from jupyter_mlws.model.compute import LOCAL, ComputeCreate, ComputeName, ComputeSpec
from jupyter_mlws.model.compute_address import TokenInvalid, read_address, read_token
from jupyter_mlws.model.errors import Conflict, Invalid

_NAME: TypeAdapter[str] = TypeAdapter(ComputeName)


class ComputeNameInvalid(Invalid):
    """No compute can have that name."""

    code = "compute_name_invalid"


class ComputeReserved(Conflict):
    """`local` is there in every workspace: it can be neither made nor deleted."""

    code = "compute_reserved"


class ComputeTypeUnknown(Invalid):
    """There is no such type of compute."""

    code = "compute_type_unknown"


def read_request(
    name: str, asked: ComputeCreate, *, types: Collection[str]
) -> tuple[ComputeSpec, str | None]:
    """Return the compute that is asked for, and its token: empty for none, None for as it was.

    Raises the errors above, `AddressInvalid` and `TokenInvalid`; none of them shows the token.
    """
    refuse_local(name)
    try:
        _NAME.validate_python(name)
    except ValidationError as error:
        raise ComputeNameInvalid(
            f"{name[:100]!r} cannot be the name of a compute.",
            hint="Use 1 to 64 letters, digits, '.', '_' and '-', starting with a letter or digit.",
        ) from error
    if asked.type not in types:
        raise ComputeTypeUnknown(
            f"There is no type of compute {asked.type!r}.", hint=f"There is: {', '.join(sorted(types))}."
        )
    address = read_address(asked.url)
    token = None if asked.token is None else read_token(asked.token)
    if address.token is not None and token not in (None, "", address.token):
        raise TokenInvalid("The URL holds a token, and another one is given beside it.", hint="Give one.")
    spec = ComputeSpec(
        name=name,
        type=asked.type,
        url=address.url,
        slots=asked.slots,
        price_per_hour=asked.price_per_hour,
        kernel=asked.kernel,
    )
    return spec, address.token or token


def refuse_local(name: str) -> None:
    """Raise `ComputeReserved` for `local`, however it is written."""
    if name.casefold() == LOCAL:
        raise ComputeReserved(
            f"The compute {LOCAL!r} is this machine: it can be neither made nor deleted.",
            hint="Choose another name. What it holds is set in the server's configuration.",
        )
