"""A real JupyterLab with our extension in a real Chromium, cut off from every host but this one."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect, sync_playwright

REPOSITORY = Path(__file__).resolve().parents[2]
BUILT = REPOSITORY / "jupyter_mlws" / "labextension"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    # No other host is reached. A route of Playwright's would do the same, and stop while a test waits.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
]
_HERE = re.compile(r"(https?|wss?)://(127\.0\.0\.1|localhost)[:/]|data:|blob:")
# A cold lab on two busy cores takes its time.
PATIENCE_MS = 90_000

# Asked anew until it holds, so its first call comes before JupyterLab's own.
FILE_IS_OPEN = """() => {
  const commands = window.jupyterapp?.commands;
  if (commands && window.fileIsOpen === undefined) {
    window.fileIsOpen = false;
    commands.commandExecuted.connect((_, { id, result }) => {
      if (id === 'filebrowser:open-path') {
        void result.then(() => { window.fileIsOpen = true; });
      }
    });
  }
  return window.fileIsOpen === true;
}"""


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """One Chromium for a module. Playwright's loop must not outlive it: other suites have theirs."""
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield launched
        launched.close()


@dataclass
class Lab:
    """A user at their browser."""

    server: Any
    page: Page
    errors: list[str] = field(default_factory=list)
    """What went wrong in the page's own code."""
    foreign: list[str] = field(default_factory=list)
    """Addresses on other hosts that something on the page asked for, in vain."""

    def open(self, path: str = "") -> None:
        """Open JupyterLab, with a file where `path` names one, and wait until it stands."""
        where = f"lab/tree/{path}" if path else "lab"
        self.page.goto(f"{self.server.url}{where}?token={self.server.token}&reset")
        self.ready()

    def restart(self) -> None:
        """Start the server again after it was killed, as it was: at the same address, with the same token."""
        server = self.server
        with server.log.open("ab") as sink:
            server.process = subprocess.Popen(
                server.process.args,
                cwd=server.place.folder,
                env=server.place.environ(),
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def ready(self) -> None:
        """Wait until the application stands."""
        self.page.wait_for_selector("#jupyterlab-splash", state="detached")
        self.page.wait_for_selector("#jp-main-dock-panel")

    def reload(self) -> None:
        """Load the page of a file again, and wait until JupyterLab has opened that file once more.

        It does so seconds after the restored layout stands, and hides whatever the user has opened meanwhile.
        """
        self.page.reload(wait_until="commit")
        self.page.wait_for_function(FILE_IS_OPEN)
        self.ready()

    def run(self, command: str, **arguments: Any) -> None:
        """Run a command of the application, as a menu entry would; what it returns is not waited for."""
        self.page.evaluate(
            "([command, args]) => { void window.jupyterapp.commands.execute(command, args); }",
            [command, arguments],
        )

    def show_jobs(self) -> Locator:
        """Open the side panel and return it."""
        self.page.get_by_role("tab", name=re.compile("^MLWS")).click()
        panel = self.page.locator(".mlws-Panel")
        panel.wait_for()
        return panel

    def row(self, name: str) -> Locator:
        """The row of the side panel's list for the newest job called `name`."""
        return self.page.locator(".mlws-Row", has_text=name).first

    def card(self, name: str) -> Locator:
        """The card of a job in the notebook on the screen."""
        return self.page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .mlws-Card", has_text=name)

    def wait_for_kernel(self) -> None:
        """Wait until the notebook's kernel is idle: what is run before that does not run at all."""
        self.page.wait_for_function(
            """() => {
              const panel = window.jupyterapp.shell.currentWidget;
              const kernel = panel?.sessionContext?.session?.kernel;
              return kernel?.connectionStatus === 'connected' && kernel.status === 'idle';
            }"""
        )

    def run_cell(self, index: int) -> None:
        """Go to a cell and press Shift+Enter."""
        cell = self.page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Cell").nth(index)
        cell.locator(".jp-InputArea-editor").click()
        self.page.keyboard.press("Shift+Enter")

    def output(self, index: int) -> Locator:
        """The output area of a cell."""
        cell = self.page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Cell").nth(index)
        return cell.locator(".jp-Cell-outputArea")


StartLab = Callable[..., Lab]


@pytest.fixture
def start_lab(start_server: Any, place: Any, browser: Browser) -> Iterator[StartLab]:
    """`start_lab(mlflow=True)`: a server in the test's own place, and a page that has not opened it yet."""
    contexts: list[BrowserContext] = []
    labs: list[Lab] = []

    def start(*, mlflow: bool = False, base_url: str = "/", arguments: tuple[str, ...] = ()) -> Lab:
        _install(place)
        server = start_server(
            command="lab",
            base_url=base_url,
            arguments=[
                "--LabApp.expose_app_in_browser=True",
                "--LabApp.extension_manager=readonly",
                f"--MlwsApp.mlflow={mlflow}",
                *arguments,
            ],
        )
        context = browser.new_context(viewport={"width": 1400, "height": 1000})
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        page = context.new_page()
        lab = Lab(server, page)
        page.on("request", lambda request: _HERE.match(request.url) or lab.foreign.append(request.url))
        page.on("pageerror", lambda error: lab.errors.append(f"{error}\n{error.stack}"))
        labs.append(lab)
        return lab

    yield start
    failures = [error for lab in labs for error in lab.errors]
    for context in contexts:
        context.close()
    assert not failures, f"the page raised errors: {failures}"
    foreign = [address for lab in labs for address in lab.foreign]
    assert not foreign, f"the page asked other hosts: {foreign}"


def _install(place: Any) -> None:
    """Put the built extension where this place's JupyterLab looks, and answer the prompt about news."""
    if not (BUILT / "package.json").exists():
        pytest.fail("the labextension is not built: run `npm run build`")
    extensions = place.data / "labextensions"
    extensions.mkdir(parents=True, exist_ok=True)
    if not (extensions / "jupyter-mlws").exists():
        (extensions / "jupyter-mlws").symlink_to(BUILT)
    settings = place.root / "lab" / "settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True, exist_ok=True)
    (settings / "notification.jupyterlab-settings").write_text(
        json.dumps({"fetchNews": "false", "checkForUpdates": False})
    )


WriteNotebook = Callable[..., Path]


@pytest.fixture
def write_notebook(place: Any) -> WriteNotebook:
    """`write_notebook("walk.ipynb", "1 + 1", ...)`: a notebook for Python with these code cells."""

    def write(name: str, *sources: str) -> Path:
        notebook = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(source) for source in sources],
            metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
        )
        path: Path = place.folder / name
        nbformat.write(notebook, path)
        return path

    return write


Submit = Callable[..., dict[str, Any]]


@pytest.fixture
def submit() -> Submit:
    """`submit(server, "print(1)", name="n")`: a cell as a job, by REST."""

    def send(server: Any, code: str, *, name: str, **fields: Any) -> dict[str, Any]:
        spec = {"kind": "cell", "name": name, "code": code, "folder": str(server.place.folder), **fields}
        with server.client() as client:
            answer = client.post("/jobs", json=spec)
        assert answer.status_code == 201, answer.text
        job: dict[str, Any] = answer.json()
        return job

    return send


Await = Callable[..., dict[str, Any]]


@pytest.fixture
def wait_for_status(wait_for: Any) -> Await:
    """`wait_for_status(server, id, "Completed")`: the job once it stands so."""

    def wait(server: Any, id: str, *statuses: str, timeout: float = 90) -> dict[str, Any]:
        with server.client() as client:

            def reached() -> dict[str, Any] | None:
                job: dict[str, Any] = client.get(f"/jobs/{id}").json()
                return job if job.get("status") in statuses else None

            found: dict[str, Any] = wait_for(reached, timeout, what=f"{statuses} of the job {id}")
            return found

    return wait


@pytest.fixture
def write_card(place: Any) -> WriteNotebook:
    """`write_card("cards.ipynb", job, ...)`: a notebook as it was saved with these jobs' cards."""

    def write(name: str, *jobs: dict[str, Any]) -> Path:
        cells = []
        for job in jobs:
            data = {"id": job["id"], "workspace": "", "name": job["spec"]["name"], "kind": "cell", "sent": []}
            bundle = {
                "application/vnd.mlws.job+json": data,
                "text/html": "<p>the HTML fallback</p>",
                "text/plain": "the text fallback",
            }
            output = nbformat.v4.new_output("display_data", data=bundle)
            cells.append(nbformat.v4.new_code_cell("%%mlws submit\n...", outputs=[output]))
        notebook = nbformat.v4.new_notebook(
            cells=cells,
            metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
        )
        path: Path = place.folder / name
        nbformat.write(notebook, path)
        return path

    return write
