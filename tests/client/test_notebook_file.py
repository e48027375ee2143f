import json

import pytest

from jupyter_mlws.client import notebook_file

FORMAT_3 = {
    "metadata": {"name": ""},
    "nbformat": 3,
    "nbformat_minor": 0,
    "worksheets": [
        {
            "cells": [
                {"cell_type": "heading", "level": 1, "metadata": {}, "source": ["Old"]},
                {
                    "cell_type": "code",
                    "collapsed": False,
                    "input": ["print(1)"],
                    "language": "python",
                    "metadata": {},
                    "outputs": [],
                    "prompt_number": 1,
                },
            ]
        }
    ],
}


def a_notebook(*cells, **metadata):
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": list(cells)}


def code(source, *tags):
    return {
        "cell_type": "code",
        "id": "c",
        "metadata": {"tags": list(tags)},
        "source": source,
        "outputs": [],
        "execution_count": None,
    }


def test_a_notebook_of_format_3_is_upgraded():
    found = notebook_file.parse(json.dumps(FORMAT_3).encode(), where="old.ipynb")
    assert found["nbformat"] == 4
    assert [cell["cell_type"] for cell in found["cells"]] == ["markdown", "code"]
    assert notebook_file.source_of(found["cells"][1]) == "print(1)"


def test_an_empty_notebook_is_a_notebook():
    assert notebook_file.parse(json.dumps(a_notebook()).encode(), where="n")["cells"] == []


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"  \n", "is empty"),
        (b"not json {", "not JSON"),
        (b"\xff\xfe\x00", "not JSON"),
        (b"[1, 2]", "without nbformat"),
        (b'{"a": 1}', "without nbformat"),
        (b'{"nbformat": 4}', "no list of cells"),
        (b'{"nbformat": 4, "cells": [{"cell_type": "code"}]}', "its cell 1 has no source"),
        (b'{"nbformat": 4, "cells": [7]}', "its cell 1 has no source"),
        (b'{"nbformat": 2}', "format 2"),
        (b'{"nbformat": 99, "cells": []}', "format 99"),
        (b"[" * 100_000, "not JSON"),
    ],
)
def test_what_is_no_notebook_is_a_sentence_with_the_path(content, said):
    with pytest.raises(notebook_file.NotANotebook) as caught:
        notebook_file.parse(content, where="/x/train.ipynb")
    assert "/x/train.ipynb" in caught.value.message
    assert said in caught.value.message


def test_a_missing_file_and_a_folder_are_sentences(tmp_path):
    with pytest.raises(notebook_file.FileMissing, match="nope.ipynb cannot be read"):
        notebook_file.read_file(tmp_path / "nope.ipynb")
    with pytest.raises(notebook_file.FileMissing, match="is a folder"):
        notebook_file.read_file(tmp_path)
