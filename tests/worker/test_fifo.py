from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from jupyter_mlws.worker.fifo import Fifo

MESSAGES = st.lists(st.binary(max_size=40), max_size=4)
STEPS = st.lists(st.none() | MESSAGES, max_size=60)


@given(STEPS)
def test_in_order_with_little_memory(steps):
    queue, mirror = Fifo(folder="/tmp", memory=50), []
    for message in steps:
        if message is None:
            assert queue.pop() == (mirror.pop(0) if mirror else None)
        else:
            queue.push(message)
            mirror.append(message)
        assert bool(queue) == bool(mirror)
    while mirror:
        assert queue.pop() == mirror.pop(0)
    assert queue.pop() is None
    queue.close()


def test_what_does_not_fit_in_memory_is_in_a_file_without_a_name(tmp_path):
    queue = Fifo(folder=tmp_path, memory=1000)
    for number in range(100):
        queue.push([b"x" * 500, str(number).encode()])
    assert queue._write_at > 40_000
    assert list(tmp_path.iterdir()) == []
    assert [queue.pop()[1] for _ in range(100)] == [str(number).encode() for number in range(100)]
    assert queue._write_at == 0
    queue.close()


def test_a_folder_that_takes_nothing_keeps_the_order(tmp_path):
    queue = Fifo(folder=tmp_path / "gone", memory=10)
    for number in range(20):
        queue.push([str(number).encode() * 9])
    assert [queue.pop()[0] for _ in range(20)] == [str(number).encode() * 9 for number in range(20)]
