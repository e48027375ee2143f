"""`%mlws compute` in a real kernel beside a real server, which is also the server elsewhere."""


def ask(notebook, code, answer):
    """Run a cell and answer what it asks for; return what it printed, and what it asked."""
    asked, printed = [], []

    def hear(message):
        content = message["content"]
        if message["msg_type"] in ("stream", "error"):
            printed.append(content.get("text") or f"{content['ename']}: {content['evalue']}")

    def told(message):
        asked.append(message["content"])
        notebook.client.input(answer)

    notebook.client.execute_interactive(code, timeout=120, output_hook=hear, stdin_hook=told)
    return "".join(printed), asked


def test_the_token_is_asked_for_and_hidden(notebook, jupyter_server):
    printed, asked = ask(
        notebook,
        f"%mlws compute create lab2 --type jupyter --url {jupyter_server.url} --slots 2",
        jupyter_server.token,
    )
    assert [each["password"] for each in asked] == [True]
    assert printed == (
        f"The compute 'lab2' is at {jupyter_server.url.rstrip('/')}. Use it: %%mlws submit --compute lab2\n"
    )
    listed = notebook.run("%mlws compute list")
    assert "lab2" in listed.text
    assert "0 / 2" in listed.text
    assert notebook.run("%mlws compute").text == listed.text
    shown = notebook.run("%mlws compute show lab2")
    assert "kept, never shown" in shown.text
    assert "✓ ready" in notebook.run("%mlws compute check lab2").text
    overview = notebook.run("%mlws")
    assert "0 of 2 slots in use" in overview.text
    for ran in (listed, shown, overview):
        assert jupyter_server.token not in str(ran)
    assert "is deleted" in notebook.run("%mlws compute delete lab2").stdout
    assert "There is: local." in notebook.run("%mlws compute show lab2", fails=True).error


def test_a_token_that_would_be_saved_with_the_notebook_is_refused(notebook, jupyter_server):
    token, url = jupyter_server.token, jupyter_server.url
    for line in (
        f"--url {url} --token {token}",
        f"--url {url} --token={token}",
        f"--url {url}lab?token={token}",
    ):
        ran = notebook.run(f"%mlws compute create lab2 {line}", fails=True)
        assert "would be saved with the notebook" in ran.stderr
        assert token not in str(ran)
    assert "lab2" not in notebook.run("%mlws compute").text


def test_where_nobody_can_be_asked_it_is_a_sentence(notebook, jupyter_server):
    notebook.client.allow_stdin = False
    try:
        ran = notebook.run(f"%mlws compute create lab2 --url {jupyter_server.url}", fails=True)
    finally:
        notebook.client.allow_stdin = True
    assert "Nobody can be asked for the token here" in ran.stderr
    file = jupyter_server.place.root / "token"
    file.write_text(jupyter_server.token)
    made = notebook.run(f"%mlws compute create lab2 --url {jupyter_server.url} --token-file {file}")
    assert "The compute 'lab2' is at" in made.stdout
    notebook.run("%mlws compute delete lab2")


def test_what_cannot_be_is_a_sentence(notebook, jupyter_server):
    url = jupyter_server.url
    for line, said in (
        ("show", "Give the compute's name"),
        ("create lab2", "Give its address"),
        ("paint lab2", "invalid choice"),
        (f"create lab2 --url {url} --slots many", "invalid int value"),
        (f"create lab2 --url {url} --slots 0 --no-token", "is not valid"),
        (f"create lab2 --url {url} --price-per-hour nan --no-token", "is not valid"),
        (f"create local --url {url} --no-token", "this machine"),
        (f"create a/b --url {url} --no-token", "cannot be the name"),
        (f"create '<b>x</b>' --url {url} --no-token", "cannot be the name"),
        ("create lab2 --url ftp://h", "http://"),
        (f"create lab2 --type slurm --url {url} --no-token", "There is: jupyter."),
        (f"create lab2 --url {url} --no-token", "does not accept the token"),
        ("delete local", "this machine"),
        ("check lab2", "There is no compute 'lab2'"),
    ):
        ran = notebook.run(f"%mlws compute {line}", fails=True)
        assert said.lower() in (ran.error + ran.stderr).lower(), line
        assert "jupyter_mlws" not in ran.traceback


def test_verbs_and_options_are_completed(notebook):
    assert {"list", "show", "create", "check", "delete"} <= set(notebook.complete("%mlws compute "))
    options = notebook.complete("%mlws compute create lab2 --")
    assert "--token-file" in options
    assert "--token" not in options


def test_a_cell_runs_there_and_comes_back(notebook, jupyter_server):
    file = jupyter_server.place.root / "token"
    file.write_text(jupyter_server.token)
    notebook.run(f"%mlws compute create lab2 --url {jupyter_server.url} --token-file {file}")
    notebook.run("base = 20")
    ran = notebook.run("%%mlws submit --compute lab2 --wait --out answer\nanswer = base + 22\nprint('far')")
    assert "far" in ran.stdout
    assert notebook.run("print(answer, job.record.spec.compute)").stdout == "42 lab2\n"
    notebook.run("%mlws compute delete lab2")
    refused = notebook.run("%mlws rerun", fails=True)
    assert "There is no compute 'lab2'" in refused.error
    assert "There is: local." in refused.error
    assert "lab2" in notebook.run("%mlws job").shown[0]["text/html"]
