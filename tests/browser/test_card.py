"""The card under a cell: output as JupyterLab draws it, errors, and a server that goes and comes back."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.slow]

RICH = """import base64, io
from IPython.display import HTML, Image, clear_output, display
print("\\x1b[31mred\\x1b[0m and plain")
display(HTML("<table id='mine'><tr><td>in a table</td></tr></table>"))
from PIL import Image as Picture
import random
noise = Picture.frombytes("RGB", (200, 200), random.Random(0).randbytes(120000))
buffer = io.BytesIO(); noise.save(buffer, "PNG")
display(Image(buffer.getvalue()))
handle = display("before", display_id=True)
handle.update("after")
x, gone = 1, (i for i in range(3))
"""


def test_output_looks_native(start_lab: Any, submit: Any, write_card: Any, wait_for_status: Any) -> None:
    """Colours, tables, a picture in a file, updated displays; results, and what cannot come back."""
    lab = start_lab()
    job = submit(lab.server, RICH, name="rich", outputs=["x", "gone"])
    wait_for_status(lab.server, job["id"], "Completed")
    write_card("rich.ipynb", job)
    lab.open("rich.ipynb")
    card = lab.card("rich")
    expect(card.locator(".ansi-red-fg")).to_have_text("red")
    expect(card.locator("#mine")).to_contain_text("in a table")
    expect(card.locator(".jp-RenderedImage img")).to_have_js_property("naturalWidth", 200)
    expect(card).to_contain_text("after")
    expect(card).not_to_contain_text("before")
    expect(card).not_to_contain_text("the HTML fallback")
    expect(card.locator(".mlws-Results")).to_contain_text("int 1")
    expect(card.locator(".mlws-Chip.mlws-mod-lost")).to_contain_text("gone")

    lab.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    card.get_by_role("button", name='Copy job.result("x")').click()
    expect(card.get_by_role("button", name="Copied")).to_be_visible()
    assert lab.page.evaluate("navigator.clipboard.readText()") == 'job.result("x")'


def test_an_error_says_what_is_wrong(
    start_lab: Any, submit: Any, write_card: Any, wait_for_status: Any
) -> None:
    """The sentence stands out; the traceback is folded below it, and opens."""
    lab = start_lab()
    job = submit(lab.server, 'print("first")\nraise ValueError("wörld is flat")', name="flat")
    wait_for_status(lab.server, job["id"], "Failed")
    write_card("error.ipynb", job)
    lab.open("error.ipynb")
    card = lab.card("flat")
    expect(card.locator(".mlws-Status")).to_have_text("Failed")
    expect(card.get_by_role("alert")).to_contain_text("ValueError: wörld is flat")
    traceback = card.locator(".mlws-Traceback")
    expect(traceback.locator("pre")).not_to_be_visible()
    traceback.locator("summary").click()
    expect(traceback.locator("pre")).to_contain_text("Traceback (most recent call last)")


def test_long_output_shows_its_end(
    start_lab: Any, submit: Any, write_card: Any, wait_for_status: Any
) -> None:
    """A card holds the end and says how much is above; the tab begins at the beginning."""
    lab = start_lab()
    job = submit(lab.server, 'for i in range(400_000): print("line", i)', name="long")
    wait_for_status(lab.server, job["id"], "Completed")
    write_card("long.ipynb", job)
    lab.open("long.ipynb")
    card = lab.card("long")
    expect(card).to_contain_text("line 399999")
    expect(card).not_to_contain_text("line 0\n")
    expect(card.locator(".mlws-OutputBar")).to_contain_text("MB above")
    card.get_by_role("button", name="Open full log").click()

    view = lab.page.locator(".mlws-JobView")
    expect(view.locator("pre").first).to_contain_text("line 0\n")
    expect(view).to_contain_text("below")
    view.get_by_role("button", name="Go to the end").click()
    expect(view).to_contain_text("line 399999")
    view.get_by_role("button", name="From the beginning").click()
    expect(view.locator("pre").first).to_contain_text("line 0\n")


def test_a_deleted_job_says_so(start_lab: Any, submit: Any, write_card: Any, wait_for_status: Any) -> None:
    """Deleting asks first and names what is lost; the card stays, quiet; nothing asks for the job."""
    lab = start_lab()
    job = submit(lab.server, "print('its output')\nx = 1", name="brief", outputs=["x"])
    wait_for_status(lab.server, job["id"], "Completed")
    write_card("gone.ipynb", job)
    lab.open("gone.ipynb")
    lab.wait_for_kernel()
    card = lab.card("brief")
    expect(card).to_contain_text("its output")
    refused: list[str] = []
    lab.page.on("response", lambda response: response.status == 404 and refused.append(response.url))
    card.get_by_role("button", name="More…").click()
    lab.page.locator(".lm-Menu-itemLabel", has_text="Delete Job").click()
    dialog = lab.page.locator(".jp-Dialog")
    expect(dialog).to_contain_text("1 result")
    dialog.get_by_role("button", name="Delete").click()
    expect(card).to_contain_text("was deleted")
    expect(card).not_to_contain_text("its output")
    lab.page.wait_for_timeout(1000)
    assert [url for url in refused if "/mlws/" in url] == []
    lab.reload()
    expect(lab.card("brief")).to_contain_text("was deleted")


def test_a_deleted_jobs_tab(start_lab: Any, submit: Any, wait_for_status: Any) -> None:
    """It says so and offers nothing that cannot be done; it does not come back with the page."""
    lab = start_lab()
    job = submit(lab.server, "1", name="brief")
    wait_for_status(lab.server, job["id"], "Completed")
    lab.open()
    lab.show_jobs()
    lab.row("brief").locator(".mlws-Row-open").click()
    tab = lab.page.locator(".mlws-JobTab")
    expect(tab.get_by_role("tab")).not_to_have_count(0)
    with lab.server.client() as client:
        assert client.delete(f"/jobs/{job['id']}").status_code == 204
    expect(tab.locator(".mlws-JobView")).to_have_text("The job brief was deleted.")
    expect(tab.get_by_role("button")).to_have_count(0)
    # JupyterLab keeps the layout a moment after it changed.
    lab.page.wait_for_timeout(2000)
    lab.page.reload()
    lab.ready()
    lab.page.wait_for_selector(".mlws-Panel")
    expect(tab).to_have_count(0)


def test_a_card_keeps_its_height(start_lab: Any, submit: Any, write_card: Any, wait_for_status: Any) -> None:
    """When the page is loaded again, a card has its height from the first frame on."""
    lab = start_lab()
    job = submit(lab.server, "for i in range(10): print('line', i)", name="tall", parameters={"trees": 200})
    wait_for_status(lab.server, job["id"], "Completed")
    write_card("tall.ipynb", job)
    lab.page.add_init_script(WATCH_HEIGHT)
    lab.open("tall.ipynb")
    lab.wait_for_kernel()
    card = lab.card("tall")
    expect(card).to_contain_text("line 9")
    expect(card.locator(".mlws-Parameters")).to_contain_text("trees = 200")
    lab.page.wait_for_timeout(2000)
    final = lab.page.evaluate("window.heights").pop()
    lab.reload()
    expect(card).to_contain_text("line 9")
    lab.page.wait_for_timeout(1500)
    assert lab.page.evaluate("window.heights") == [final]


WATCH_HEIGHT = """window.heights = [];
const look = () => {
  const height = document.querySelector('.mlws-Card')?.offsetHeight;
  if (height && window.heights.at(-1) !== height) {
    window.heights.push(height);
  }
  requestAnimationFrame(look);
};
requestAnimationFrame(look);"""


def test_a_card_outlives_the_server(
    start_lab: Any, submit: Any, write_card: Any, place: Any, wait_for_status: Any
) -> None:
    """Kill -9 of the server while a job runs: the card keeps what it knew, and goes on with the next."""
    lab = start_lab()
    code = "import time\nfor i in range(4000):\n    print('tick', i, flush=True)\n    time.sleep(0.05)"
    job = submit(lab.server, code, name="ticks")
    write_card("ticks.ipynb", job)
    lab.open("ticks.ipynb")
    card = lab.card("ticks")
    expect(card).to_contain_text("tick 3")
    lab.server.kill()
    expect(card).to_contain_text("Reconnecting")
    expect(card.locator(".mlws-Status")).to_have_text("Running")
    expect(card).to_contain_text("tick 3")

    lab.restart()
    expect(card).not_to_contain_text("Reconnecting")
    seen = int(card.locator("pre").last.inner_text().split()[-1])
    expect(card).to_contain_text(f"tick {seen + 20}")
    # By command: a dialog of JupyterLab's about the lost connection may be in the way of a click.
    lab.run("mlws:cancel-job", id=job["id"])
    expect(card.locator(".mlws-Status")).to_have_text("Canceled")
    # JupyterLab's own code lets some failed requests fall; ours must not.
    lab.errors[:] = [error for error in lab.errors if "jupyter-mlws" in error]


def test_many_cards_share_one_stream(
    start_lab: Any, submit: Any, write_card: Any, wait_for_status: Any
) -> None:
    """Cards of one notebook add no socket each, and an ended job causes no requests."""
    lab = start_lab()
    jobs = [submit(lab.server, f"print('job', {i})", name=f"job-{i}") for i in range(12)]
    for job in jobs:
        wait_for_status(lab.server, job["id"], "Completed")
    write_card("many.ipynb", *jobs)
    sockets: list[str] = []
    requests: list[str] = []
    lab.page.on("websocket", lambda socket: sockets.append(socket.url))
    lab.page.on("request", lambda request: requests.append(request.url))
    lab.open("many.ipynb")
    for i in range(12):
        card = lab.card(f"job-{i}").first
        card.scroll_into_view_if_needed()
        expect(card.locator(".mlws-Status")).to_have_text("Completed")
        expect(card).to_contain_text(f"job {i}")
    assert len([url for url in sockets if "api/events" in url]) == 2  # JupyterLab's own, and ours
    lab.page.wait_for_load_state("networkidle")
    seen = len([url for url in requests if "/mlws/api/v1/jobs/" in url])
    lab.page.wait_for_timeout(2000)  # nothing is polled
    assert len([url for url in requests if "/mlws/api/v1/jobs/" in url]) == seen
