"""The side panel and the job's tab."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_the_first_step(start_lab: Any) -> None:
    """An empty panel offers a first notebook, whose cell becomes a job that comes back."""
    lab = start_lab()
    lab.open()
    panel = lab.show_jobs()
    expect(panel).to_contain_text("No jobs yet")
    panel.get_by_role("button", name="New notebook with a first job").click()
    expect(lab.page.locator(".jp-Cell")).to_have_count(3)
    lab.wait_for_kernel()
    for index in range(2):
        lab.run_cell(index)
    card = lab.card("first-job")
    expect(card.locator(".mlws-Status")).to_have_text("Completed")
    expect(card).to_contain_text("with 1000 numbers")
    lab.run_cell(2)
    expect(lab.output(2)).to_contain_text("500500")
    expect(lab.row("first-job").locator(".mlws-Status")).to_have_text("Completed")


def test_the_list_is_live(start_lab: Any, submit: Any) -> None:
    """New jobs come at the top, rows change in place, a button cancels, what is deleted elsewhere goes."""
    lab = start_lab(arguments=("--MlwsApp.price_per_hour=36",))
    lab.open()
    lab.show_jobs()
    old = submit(lab.server, "1", name="old")
    expect(lab.row("old").locator(".mlws-Status")).to_have_text("Completed")
    submit(lab.server, "import time; time.sleep(600)", name="sleeper")
    rows = lab.page.locator(".mlws-Row-open")
    expect(rows.first).to_contain_text("sleeper")
    expect(lab.row("sleeper").locator(".mlws-Status")).to_have_text("Running")
    expect(lab.row("sleeper").locator(".mlws-Row-time")).to_have_text(re.compile(r"^\d\d:\d\d$"))
    lab.row("sleeper").get_by_role("button", name="Cancel sleeper").click()
    expect(lab.row("sleeper").locator(".mlws-Status")).to_have_text("Canceled")
    with lab.server.client() as client:
        assert client.delete(f"/jobs/{old['id']}").status_code == 204
    expect(rows).to_have_count(1)


def test_filter_and_pages(start_lab: Any, submit: Any) -> None:
    """The list is filtered by the server and read by pages; the keyboard goes from row to row."""
    # No job may start: each has to wait for the one that holds the only slot.
    lab = start_lab(arguments=("--MlwsApp.cpus=1",))
    submit(lab.server, "import time; time.sleep(600)", name="holder")
    for i in range(60):
        submit(lab.server, "1", name=f"{'even' if i % 2 == 0 else 'odd'}-{i:02}")
    lab.open()
    panel = lab.show_jobs()
    rows = lab.page.locator(".mlws-Row-open")
    expect(rows.first).to_contain_text("odd-59")
    panel.locator(".mlws-Rows").evaluate("node => node.scrollTo(0, node.scrollHeight)")
    expect(rows).to_have_count(61)
    submit(lab.server, "1", name="newest")
    expect(panel.get_by_role("button", name="1 new")).to_be_visible()
    panel.get_by_role("button", name="1 new").click()
    expect(rows.first).to_contain_text("newest")

    panel.get_by_label("Filter by name").fill("EVEN")
    expect(rows).to_have_count(30)
    panel.get_by_label("Filter by state").select_option("Completed")
    expect(panel).to_contain_text("No job matches")
    panel.get_by_role("button", name="Clear the filter").click()
    expect(panel.get_by_label("Filter by name")).to_have_value("")
    expect(rows.first).to_contain_text("newest")
    panel.get_by_label("Filter by name").fill("EVEN")
    expect(rows).to_have_count(30)
    panel.get_by_label("Filter by state").select_option("Active")
    expect(rows).to_have_count(30)
    rows.first.focus()
    lab.page.keyboard.press("ArrowDown")
    expect(rows.nth(1)).to_be_focused()


def test_a_jobs_tab(start_lab: Any, submit: Any, wait_for_status: Any) -> None:
    """A click on a row opens the log, results, inputs, executed notebook, attempts and environment."""
    lab = start_lab()
    job = submit(
        lab.server,
        "print('depth is', depth)\nanswer = depth * 7",
        name="tabbed",
        outputs=["answer"],
        parameters={"depth": 6},
    )
    wait_for_status(lab.server, job["id"], "Completed")
    lab.open()
    lab.show_jobs()
    lab.row("tabbed").locator(".mlws-Row-open").click()
    view = lab.page.locator(".mlws-JobView")
    expect(view.locator(".mlws-Follower")).to_contain_text("depth is 6")

    def turn_to(name: str) -> None:
        view.get_by_role("tab", name=name).click()

    turn_to("Results")
    expect(view.locator(".mlws-Results")).to_contain_text("int 42")
    turn_to("Inputs")
    expect(view.get_by_role("tabpanel", name="Inputs")).to_contain_text("depth")
    turn_to("Notebook")
    expect(view.locator(".jp-Notebook .jp-OutputArea").last).to_contain_text("depth is 6")
    turn_to("Attempts")
    expect(view.locator(".mlws-Table .mlws-Status")).to_have_text("Completed")
    turn_to("Environment")
    expect(view.get_by_role("tabpanel", name="Environment")).to_contain_text("ipykernel==")

    lab.page.get_by_role("button", name="Re-run").click()
    expect(lab.page.locator(".mlws-Row-open")).to_have_count(2)
    lab.page.locator(".Toastify").get_by_role("button", name="Open").click()
    expect(lab.page.locator(".mlws-JobView:visible .mlws-Follower")).to_contain_text("depth is 6")


def test_a_running_jobs_notebook_is_live(start_lab: Any, submit: Any) -> None:
    """It grows while it is on the screen and comes to the job's end; then nothing is fetched any more."""
    lab = start_lab()
    code = "import time\nfor i in range(15): print('step', i, flush=True); time.sleep(1)"
    submit(lab.server, code, name="live")
    fetched: list[str] = []
    lab.page.on("request", lambda request: fetched.append(request.url))
    lab.open()
    lab.show_jobs()
    lab.row("live").locator(".mlws-Row-open").click()
    view = lab.page.locator(".mlws-JobView")
    view.get_by_role("tab", name="Notebook").click()
    notebook = view.locator(".mlws-Executed")
    expect(notebook).to_contain_text("step 2")
    expect(view.locator(".mlws-Head .mlws-Status")).to_have_text("Running")
    expect(notebook).to_contain_text("step 14")
    expect(view.locator(".mlws-Head .mlws-Status")).to_have_text("Completed")
    lab.page.wait_for_timeout(2500)
    seen = len([url for url in fetched if url.endswith("/notebook")])
    assert 3 <= seen <= 25
    lab.page.wait_for_timeout(2000)
    assert len([url for url in fetched if url.endswith("/notebook")]) == seen


def test_the_log_of_an_earlier_attempt(start_lab: Any, submit: Any, wait_for_status: Any) -> None:
    """«Show log» goes to the log, which says whose it is and leads back; a silent job says that it is."""
    lab = start_lab()
    job = submit(lab.server, "import os; print('worker', os.getpid()); 1/0", name="again", retries=1)
    silent = submit(lab.server, "x = 1", name="silent")
    wait_for_status(lab.server, job["id"], "Failed")
    wait_for_status(lab.server, silent["id"], "Completed")
    lab.open()
    lab.show_jobs()
    lab.row("again").locator(".mlws-Row-open").click()
    view = lab.page.locator(".mlws-JobView:visible")
    log = view.get_by_role("tabpanel", name="Log")
    expect(log).to_contain_text("worker")
    newest = log.locator("pre").first.inner_text()
    expect(log.locator(".mlws-Traceback summary")).to_have_text("Traceback")
    view.get_by_role("tab", name="Attempts").click()
    view.get_by_role("button", name="Show log").first.click()
    expect(log).to_contain_text("Attempt 1 of 2")
    expect(log).not_to_contain_text(newest)
    log.get_by_role("button", name="Show attempt 2").click()
    expect(log).to_contain_text(newest)
    expect(log).not_to_contain_text("Attempt 1 of 2")
    lab.row("silent").locator(".mlws-Row-open").click()
    expect(lab.page.locator(".mlws-JobView:visible")).to_contain_text("The job put nothing out.")


def test_commands_name_their_job(start_lab: Any, submit: Any, wait_for_status: Any) -> None:
    """The palette offers a job's commands with its tab in front alone; a row has a menu of its own."""
    lab = start_lab()
    first = submit(lab.server, "print(rate)", name="first", parameters={"rate": 0.5})
    second = submit(lab.server, "1", name="second")
    for job in (first, second):
        wait_for_status(lab.server, job["id"], "Completed")
    lab.open()
    lab.show_jobs()
    expect(lab.row("first")).to_contain_text("rate = 0.5")

    def offered() -> list[str]:
        lab.run("apputils:activate-command-palette")
        lab.page.locator(".lm-CommandPalette-input").fill("mlws")
        items = lab.page.locator('.lm-CommandPalette-item[data-command^="mlws:"]:not(.lm-mod-disabled)')
        expect(items.first).to_have_attribute("data-command", "mlws:show-jobs")
        labels = items.locator(".lm-CommandPalette-itemLabel").all_inner_texts()
        lab.page.keyboard.press("Escape")
        return labels

    assert not [label for label in offered() if label.startswith(("Delete", "Cancel", "Re-run"))]
    lab.row("second").locator(".mlws-Row-open").click()
    expect(lab.page.locator(".mlws-Row.mlws-mod-selected")).to_contain_text("second")
    assert offered()[-1] == "Delete Job “second”…"

    lab.row("first").click(button="right")
    lab.page.locator(".lm-Menu-itemLabel", has_text="Delete Job…").click()
    dialog = lab.page.locator(".jp-Dialog")
    expect(dialog).to_contain_text("Delete the job first?")
    dialog.get_by_role("button", name="Delete").click()
    expect(lab.page.locator(".mlws-Row-open")).to_have_count(1)
    lab.page.locator(".lm-TabBar-tab", has_text="second").locator(".lm-TabBar-tabCloseIcon").click()
    expect(lab.page.locator(".mlws-Row.mlws-mod-selected")).to_have_count(0)


def test_a_narrow_window(start_lab: Any, submit: Any, write_card: Any, wait_for_status: Any) -> None:
    """700 px with the panel open: buttons lie beside nothing, and each page of the tab can be reached."""
    lab = start_lab()
    job = submit(lab.server, "a, b, c = [1] * 50, 2, 3", name="narrow", outputs=["a", "b", "c"])
    wait_for_status(lab.server, job["id"], "Completed")
    write_card("narrow.ipynb", job)
    lab.page.set_viewport_size({"width": 700, "height": 800})
    lab.open("narrow.ipynb")
    lab.wait_for_kernel()
    lab.show_jobs()
    card = lab.card("narrow")
    expect(card.locator(".mlws-Chip")).to_have_count(3)
    chips = [chip.bounding_box() for chip in card.locator(".mlws-Chip").all()]
    button = card.get_by_role("button", name="Open", exact=True).bounding_box()
    assert button is not None
    for chip in chips:
        assert chip is not None
        assert chip["y"] + chip["height"] <= button["y"] or chip["x"] + chip["width"] <= button["x"]
    lab.row("narrow").locator(".mlws-Row-open").click()
    view = lab.page.locator(".mlws-JobView:visible")
    view.get_by_role("tab", name="Environment").click()
    expect(view.get_by_role("tabpanel", name="Environment")).to_contain_text("ipykernel==")


def test_themes(start_lab: Any, submit: Any, write_card: Any, wait_for_status: Any) -> None:
    """Every colour is the theme's: text and background change with it and keep their contrast."""
    lab = start_lab()
    job = submit(lab.server, "1/0", name="colours")
    wait_for_status(lab.server, job["id"], "Failed")
    write_card("colours.ipynb", job)
    lab.open("colours.ipynb")
    card = lab.card("colours")
    expect(card.get_by_role("alert")).to_be_visible()
    seen = []
    for theme in ("JupyterLab Light", "JupyterLab Dark"):
        lab.run("apputils:change-theme", theme=theme)
        light = "true" if theme.endswith("Light") else "false"
        lab.page.wait_for_selector(f'body[data-jp-theme-light="{light}"]', state="attached")
        contrast = card.evaluate(CONTRAST)
        assert contrast > 4.5, f"{contrast} in {theme}"
        seen.append(card.evaluate("node => getComputedStyle(node).backgroundColor"))
    assert seen[0] != seen[1]


# WCAG's contrast ratio of the error's text and of its hint on what is behind them, the worse of the two.
CONTRAST = """card => {
  const parse = colour => colour.match(/[\\d.]+/g).map(Number);
  const over = ([r, g, b, a = 1], under) => [r, g, b].map((c, i) => a * c + (1 - a) * under[i]);
  const luminance = rgb => {
    const linear = c => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    const [r, g, b] = rgb.map(c => linear(c / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratio = (a, b) => {
    const [x, y] = [luminance(a), luminance(b)].sort((p, q) => q - p);
    return (x + 0.05) / (y + 0.05);
  };
  const page = parse(getComputedStyle(card).backgroundColor);
  const alert = card.querySelector('.mlws-Failure');
  const ground = over(parse(getComputedStyle(alert).backgroundColor), page);
  const text = node => over(parse(getComputedStyle(node).color), ground);
  return Math.min(...[...alert.children].map(node => ratio(text(node), ground)));
}"""
