from __future__ import annotations

from typing import Any

import pytest

from jupyter_mlws.jobs.notebook_parameters import ParameterUnknown, check_parameters, declared_parameters


def notebook(*cells: tuple[str, list[str]]) -> dict[str, Any]:
    return {
        "nbformat": 4,
        "cells": [
            {"cell_type": "code", "source": source, "metadata": {"tags": tags}} for source, tags in cells
        ],
    }


def test_the_tagged_cell_declares_what_it_assigns() -> None:
    found = declared_parameters(notebook(("x = 1", []), ("depth = 3\nlr: float = 0.1", ["parameters"])))
    assert found == ["depth", "lr"]


def test_a_name_that_is_not_declared_is_refused_with_those_that_are() -> None:
    declared = notebook(("depth = 3", ["parameters"]))
    check_parameters(declared, ["depth"], where="train.ipynb")
    with pytest.raises(ParameterUnknown, match=r"train\.ipynb has no parameter 'dept'") as caught:
        check_parameters(declared, ["dept"], where="train.ipynb")
    assert caught.value.hint == "Its cell tagged `parameters` has depth."


@pytest.mark.parametrize(
    "content",
    [
        notebook(("x = 1", [])),
        notebook(("depth <- 3 %>% f", ["parameters"])),
        {"nbformat": 3, "worksheets": []},
        {"nbformat": 4, "cells": "?"},
        {"nbformat": 4, "cells": [None, {"cell_type": "code", "metadata": None}]},
    ],
)
def test_where_nothing_is_declared_any_name_goes(content: dict[str, Any]) -> None:
    check_parameters(content, ["anything"], where="n")
