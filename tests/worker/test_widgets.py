"""Notebooks with ipywidgets: their state is kept, and none of them hangs the job."""

from __future__ import annotations

STATE = "application/vnd.jupyter.widget-state+json"


def test_interactive_output_does_not_hang(run_notebook):
    done = run_notebook(
        "import ipywidgets as widgets\n"
        "a = widgets.IntSlider(value=3, description='a')\n"
        "def show(a):\n    print('a is', a)\n    display({'a': a})\n"
        "out = widgets.interactive_output(show, {'a': a})\n"
        "display(a, out)",
        "a.value = 7",
        "print('after')",
    )
    assert done.last["status"] == "Completed", done.log
    assert "after\n" in done.text()
    assert "a is 3" in done.text()
    assert "a is 7" in done.text()
    widgets = done.notebook["metadata"]["widgets"][STATE]["state"]
    names = {widget["model_name"] for widget in widgets.values()}
    assert {"IntSliderModel", "OutputModel"} <= names


def test_interact_with_many_changes_does_not_hang(run):
    code = """
import ipywidgets as widgets
slider = widgets.IntSlider(max=200)
widgets.interact(lambda n: print('n', n), n=slider)
for n in range(100):
    slider.value = n
"""
    done = run(code)
    assert done.last["status"] == "Completed", done.log
    assert "n 99\n" in done.text()


def test_output_widgets_capture_what_is_shown_in_them(run):
    code = """
import ipywidgets as widgets
out = widgets.Output()
display(out)
with out:
    print('inside')
    display(1)
print('outside')
"""
    done = run(code)
    assert done.last["status"] == "Completed", done.log
    kept = done.notebook["cells"][0]["outputs"]
    assert [output.get("text") for output in kept if output["output_type"] == "stream"] == ["outside\n"]
    widgets = done.notebook["metadata"]["widgets"][STATE]["state"]
    (captured,) = (
        widget["state"]["outputs"] for widget in widgets.values() if widget["model_name"] == "OutputModel"
    )
    assert captured[0]["text"] == "inside\n"
    assert done.text() == "inside\noutside\n"


def test_much_output_in_an_output_widget(run):
    code = """
import sys
import ipywidgets as widgets
out = widgets.Output()
with out:
    for i in range(300):
        print('x' * 100_000)
        sys.stdout.flush()
"""
    done = run(code)
    assert done.last["status"] == "Completed", done.log
    assert len(done.text()) == 300 * 100_001


def test_a_widget_that_is_broken_ends_nothing(run):
    code = """
from comm import create_comm
comm = create_comm(target_name='jupyter.widget', data={'state': {'_model_module': 1}})
comm.send({'state': 'not a dict'})
create_comm(target_name='nobody', data={})
print('after')
"""
    done = run(code)
    assert done.last["status"] == "Completed"
    assert done.text() == "after\n"
