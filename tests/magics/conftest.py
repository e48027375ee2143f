"""Notebooks beside the module's server, and notebooks that are opened in it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import httpx
import pytest

from tests.notebook_kernel import Notebook, connect, kernel_beside


@pytest.fixture(scope="module")
def notebook(jupyter_server) -> Iterator[Notebook]:
    """A kernel beside the module's server, in the same place, with the magics loaded."""
    with kernel_beside(jupyter_server.place) as made:
        yield made


@pytest.fixture
def open_notebook(jupyter_server) -> Iterator[Callable[[str, list[str]], Notebook]]:
    """`open_notebook(path, sources)`: a saved notebook with a kernel of the server's, as in a browser."""
    opened = []

    def open_it(path: str, sources: list[str]) -> Notebook:
        place = jupyter_server.place
        file = place.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        cells = [
            {
                "cell_type": "code",
                "id": f"c{n}",
                "metadata": {},
                "source": source,
                "outputs": [],
                "execution_count": None,
            }
            for n, source in enumerate(sources)
        ]
        metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
        content = {"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": cells}
        file.write_text(json.dumps(content), encoding="utf-8")
        with httpx.Client(base_url=jupyter_server.url, headers=jupyter_server.headers, timeout=60) as http:
            asked = {"path": path, "name": file.name, "type": "notebook", "kernel": {"name": "python3"}}
            answer = http.post("api/sessions", json=asked)
            answer.raise_for_status()
            kernel_id = answer.json()["kernel"]["id"]
        client = connect(str(place.jupyter_runtime / f"kernel-{kernel_id}.json"))
        opened.append(client)
        return Notebook(None, client)

    yield open_it
    for client in opened:
        client.shutdown()
        client.stop_channels()
