"""Finds the route of a request. Pure; made from the table of routes."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import unquote_to_bytes

from jupyter_mlws.model.errors import Malformed, NotFound
from jupyter_mlws.server.failures import MethodNotAllowed
from jupyter_mlws.server.route import AnyRoute


class NoSuchRoute(NotFound):
    """The path leads nowhere."""

    code = "no_such_route"


class PathMalformed(Malformed):
    """The path is not UTF-8."""

    code = "path_malformed"


class Router:
    """The routes by their paths."""

    def __init__(self, routes: Iterable[AnyRoute]) -> None:
        self._paths: dict[tuple[str, ...], dict[str, AnyRoute]] = {}
        for route in routes:
            self._paths.setdefault(tuple(route.path.strip("/").split("/")), {})[route.method] = route

    def find(self, method: str, path: str) -> tuple[AnyRoute, dict[str, str]]:
        """Return the route of `method` on `path` (percent-encoded, without the prefix), and its variables.

        Where HEAD is not declared, GET stands for it. Raises `NoSuchRoute`, `MethodNotAllowed` and
        `PathMalformed`.
        """
        given = tuple(path.strip("/").split("/"))
        for pattern, methods in self._paths.items():
            variables = _match(pattern, given)
            if variables is None:
                continue
            route = methods.get(method) or (methods.get("GET") if method == "HEAD" else None)
            if route is not None:
                return route, variables
            raise MethodNotAllowed(
                f"{path[:200]} does not know the method {method[:20]}.",
                hint=f"It knows {', '.join(methods)}.",
            )
        raise NoSuchRoute(
            f"There is no route {path[:200]!r}.", hint="All routes are described at openapi.json."
        )


def _match(pattern: tuple[str, ...], given: tuple[str, ...]) -> dict[str, str] | None:
    if len(pattern) != len(given):
        return None
    variables: dict[str, str] = {}
    for part, text in zip(pattern, given, strict=True):
        if part.startswith("{"):
            try:
                variables[part[1:-1]] = unquote_to_bytes(text).decode("utf-8")
            except UnicodeDecodeError as error:
                raise PathMalformed(f"The segment {text[:100]!r} of the path is not UTF-8.") from error
        elif part != text:
            return None
    return variables
