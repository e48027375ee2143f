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
