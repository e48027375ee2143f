from __future__ import annotations

import json

import pytest

from jupyter_mlws.store import audit, cursor

NASTY = ['it\'s "q"', "'; DROP TABLE audit; --", "../../x", "é\U0001f600", "x" * 10_000]


def test_who_when_what_before_and_after(db, make_job):
    job = make_job(spec={"name": "naïve 'x'"})
    with db.write() as tx:
        audit.record(tx, "ada", "submit", "job", job.id, None, job)
        audit.record(tx, "«bob»", "rename", "job", job.id, {"name": "a"}, {"name": "b"})
    with db.read() as tx:
        rename, submit = audit.page(tx).entries
    assert (submit.who, submit.action, submit.noun, submit.id) == ("ada", "submit", "job", job.id)
    assert submit.before is None
    assert json.loads(submit.after or "") == job.model_dump(mode="json")
    assert (json.loads(rename.before or ""), json.loads(rename.after or "")) == ({"name": "a"}, {"name": "b"})
    assert submit.at <= rename.at
    assert submit.at.utcoffset().total_seconds() == 0


def test_pages_are_newest_first_and_stable(db):
    with db.write() as tx:
        for number in range(10):
            audit.record(tx, "ada", "x", "job" if number % 2 else "workspace", str(number))
    seen, at = [], None
    while True:
        with db.write() as tx:
            page = audit.page(tx, at, 3)
            audit.record(tx, "ada", "later", "job", "later")
        seen += [entry.id for entry in page.entries]
        if (at := page.next) is None:
            break
    assert seen == [str(number) for number in reversed(range(10))]
    with db.read() as tx:
        assert [entry.id for entry in audit.page(tx, noun="workspace", limit=2).entries] == ["8", "6"]
        assert [entry.id for entry in audit.page(tx, id="3").entries] == ["3"]
        assert audit.page(tx, id="3", noun="workspace").entries == []


@pytest.mark.parametrize("text", NASTY)
def test_nasty_texts_come_back_as_they_were(db, text):
    with db.write() as tx:
        audit.record(tx, text, text, text, text, {text: text})
        audit.record(tx, "ada", "x", "job", "other")
    with db.read() as tx:
        (entry,) = audit.page(tx, noun=text, id=text).entries
    assert (entry.who, entry.action, entry.noun, entry.id) == (text, text, text, text)
    assert json.loads(entry.before or "") == {text: text}


@pytest.mark.parametrize("text", ["", "x", "WzEuNV0", cursor.encode([2**70]), cursor.encode(["1"])])
def test_a_wrong_cursor_is_a_sentence(db, text):
    with pytest.raises(cursor.CursorInvalid), db.read() as tx:
        audit.page(tx, text)
