"""A notebook goes on to another workspace, in a kernel that was told which one by MLWS_WORKSPACE."""

import pytest

from tests.notebook_kernel import kernel_beside


@pytest.fixture
def notebook(place):
    """A kernel beside the test's own server."""
    with kernel_beside(place) as made:
        yield made


def test_another_workspace_is_used_through_the_same_server(place, start_server, notebook):
    server = start_server()
    notebook.run("%mlws workspace create second")
    assert "'second'" in notebook.run("%mlws workspace use second").stdout
    ran = notebook.run("%mlws")
    assert "starting one" not in ran.stdout
    assert server.url.rstrip("/") in ran.text
    assert "workspace  second " in ran.text
    # So do Python in the notebook, and what it starts.
    assert notebook.run("import jupyter_mlws as m; print(m.connect().name)").stdout == "second\n"
    shown = notebook.run("!{__import__('sys').executable} -m jupyter_mlws workspace show").stdout
    assert shown.startswith("second\r\n")
    assert not (place.data / "mlws" / "logs").exists(), "a second server was started"
