"""Submitting the notebook on the screen, and telling the server what is on it."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_the_toolbar_submits_what_is_on_the_screen(
    start_lab: Any, write_notebook: Any, wait_for_status: Any, place: Any
) -> None:
    """Unsaved edits are part of the job, which finds the notebook's files; its tab opens from the note."""
    (place.folder / "sub").mkdir()
    (place.folder / "sub" / "data.txt").write_text("from the file beside it")
    write_notebook("sub/report.ipynb", "print('saved')", "print(open('data.txt').read())")
    lab = start_lab()
    lab.open("sub/report.ipynb")
    lab.wait_for_kernel()
    lab.page.locator(".jp-Cell .jp-InputArea-editor").first.click()
    lab.page.keyboard.press("Control+End")
    lab.page.keyboard.type("\nprint('typed', 'and not saved')")
    lab.page.locator('[data-jp-item-name="mlws-submit"]').get_by_role("button").click()
    lab.page.locator(".Toastify").get_by_role("button", name="Open").click()
    view = lab.page.locator(".mlws-JobView")
    expect(view.locator(".mlws-Head .mlws-Status")).to_have_text("Completed")
    expect(view).to_contain_text("typed and not saved")
    expect(view).to_contain_text("from the file beside it")
    expect(view).to_contain_text("cell 2 of 2")
    panel = lab.show_jobs()
    expect(panel.locator(".mlws-Row.mlws-mod-selected")).to_contain_text("report")


def test_the_menu_and_the_palette_offer_it(start_lab: Any, write_notebook: Any) -> None:
    """The Run menu has the entry, enabled with a notebook alone."""
    write_notebook("menu.ipynb", "1")
    lab = start_lab()
    lab.open("menu.ipynb")
    lab.wait_for_kernel()
    lab.page.get_by_role("menuitem", name="Run", exact=True).click()
    expect(lab.page.locator('.lm-Menu-item[data-command="mlws:submit-notebook"]')).to_be_visible()
    lab.page.keyboard.press("Escape")
    described = lab.page.evaluate(
        """async () => {
          const { commands } = window.jupyterapp;
          const ours = commands.listCommands().filter(id => id.startsWith('mlws:'));
          return Promise.all(ours.map(async id => [id, (await commands.describedBy(id)).args !== null]));
        }"""
    )
    assert len(described) >= 6
    assert all(has_schema for _, has_schema in described), described


def test_the_server_learns_the_notebook_on_the_screen(
    start_lab: Any, write_notebook: Any, place: Any
) -> None:
    """A question for the notebook of a kernel is answered with its unsaved text."""
    write_notebook("asked.ipynb", "x = 1")
    lab = start_lab()
    lab.open("asked.ipynb")
    lab.wait_for_kernel()
    lab.page.locator(".jp-Cell .jp-InputArea-editor").first.click()
    lab.page.keyboard.press("Control+End")
    lab.page.keyboard.type("  # unsaved")
    kernel = lab.page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.id")
    answer = httpx.post(
        f"{lab.server.api}/notebooks/ask",
        json={"kernel_id": kernel},
        headers=lab.server.headers,
        timeout=30,
    )
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert found["source"] == "screen"
    assert found["path"] == "asked.ipynb"
    assert found["dirty"] is True
    sources = ["".join(cell["source"]) for cell in found["content"]["cells"]]
    assert sources == ["x = 1  # unsaved"]
