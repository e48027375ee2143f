from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from jupyter_mlws.worker.head_tail import HeadTail


@given(st.lists(st.text("ab\né", max_size=30)))
def test_a_text_that_fits_stays_whole(parts):
    kept = HeadTail(kept=1000)
    for part in parts:
        kept.add(part)
    assert kept.render() == "".join(parts)


@given(st.lists(st.text("ab\n", max_size=40), max_size=60))
def test_head_tail_and_a_true_count_of_the_rest(parts):
    kept = HeadTail(kept=50)
    for part in parts:
        kept.add(part)
    whole, rendered = "".join(parts), kept.render()
    found = re.search(r"\n\[\.\.\. ([\d,]+) characters \(([\d,]+) lines\) are left out here;.*\]\n", rendered)
    if found is None:
        assert rendered == whole
        return
    head, tail = rendered[: found.start()], rendered[found.end() :]
    characters, lines = (int(text.replace(",", "")) for text in found.groups())
    assert whole.startswith(head)
    assert whole.endswith(tail)
    assert len(head) + len(tail) + characters == len(whole)
    assert lines == whole[len(head) : len(whole) - len(tail)].count("\n")


def test_a_line_without_end_takes_no_more_memory():
    kept = HeadTail(kept=1000)
    for _ in range(100):
        kept.add("x" * 100_000)
    assert len(kept.render()) < 200_000


def test_what_was_overwritten_is_gone():
    kept = HeadTail()
    for percent in range(101):
        kept.add(f"\r{percent}%")
    kept.add("\nnext\r\n")
    assert kept.render() == "100%\nnext\r\n"
