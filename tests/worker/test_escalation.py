from __future__ import annotations

from jupyter_mlws.worker.escalation import Escalation, Step


def test_each_step_once_with_grace_between():
    steps = Escalation(now=10.0, grace=5.0)
    assert [steps.due(now) for now in (10.0, 10.1, 14.9)] == [Step.INTERRUPT, None, None]
    assert [steps.due(now) for now in (15.0, 15.1, 19.9)] == [Step.TERMINATE, None, None]
    assert [steps.due(now) for now in (20.0, 20.1, 99.0)] == [Step.KILL, None, None]


def test_grace_counts_from_when_the_step_was_done():
    steps = Escalation(now=0.0, grace=5.0)
    assert steps.due(8.0) is Step.INTERRUPT
    assert steps.due(12.0) is None
    assert steps.due(13.0) is Step.TERMINATE


def test_a_kill_is_all_there_is_to_do():
    steps = Escalation(now=0.0, grace=5.0, first=Step.KILL)
    assert [steps.due(0.0), steps.due(99.0)] == [Step.KILL, None]


def test_hastening_goes_on_and_never_back():
    steps = Escalation(now=0.0, grace=5.0)
    steps.due(0.0)
    steps.hasten(Step.KILL, now=1.0)
    steps.hasten(Step.INTERRUPT, now=1.0)
    assert [steps.due(1.0), steps.due(99.0)] == [Step.KILL, None]
