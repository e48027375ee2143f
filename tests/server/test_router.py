"""Paths lead to routes."""

from __future__ import annotations

import pytest

from jupyter_mlws.server.failures import MethodNotAllowed
from jupyter_mlws.server.router import NoSuchRoute, PathMalformed, Router
from jupyter_mlws.server.routes.table import ROUTES

ROUTER = Router(ROUTES)


def test_a_name_may_hold_anything_when_it_is_encoded() -> None:
    route, variables = ROUTER.find("GET", "/jobs/abc/results/caf%C3%A9%2F..%2Fx%20y")
    assert route.path == "/jobs/{id}/results/{name}"
    assert variables == {"id": "abc", "name": "café/../x y"}


def test_head_is_answered_where_get_is() -> None:
    assert ROUTER.find("HEAD", "/jobs/abc/notebook")[0].method == "GET"


@pytest.mark.parametrize("path", ["", "/", "/nope", "/jobs/a/b/c", "/jobs/%2e%2e/x", "/JOBS"])
def test_an_unknown_path(path: str) -> None:
    with pytest.raises(NoSuchRoute):
        ROUTER.find("GET", path)


def test_a_wrong_method_says_which_are_known() -> None:
    with pytest.raises(MethodNotAllowed) as refused:
        ROUTER.find("DELETE", "/jobs")
    assert "GET" in str(refused.value) and "POST" in str(refused.value)


def test_a_path_that_is_not_utf8() -> None:
    with pytest.raises(PathMalformed):
        ROUTER.find("GET", "/jobs/%ff")
