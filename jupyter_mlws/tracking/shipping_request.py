"""What is asked of MLflow's server so that it ships spools, and what it answers: JSON, by POST to `PATH`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

PATH = "/mlws/ship"  # as in tracking/flush.py, which stands alone
_MOST = 100


class AskedWrongly(Exception):
    """The request names nothing that can be shipped; the text is a sentence."""


@dataclass(frozen=True)
class Asked:
    """The spools of attempts, which are below the workspace."""

    attempts: list[tuple[str, int]]
    """Ids of jobs, and numbers of attempts."""
    wait: bool = False
    """Whether to wait for another who ships."""

    def to_json(self) -> bytes:
        """Return the body of the request."""
        named = [{"job": job, "attempt": attempt} for job, attempt in self.attempts]
        return json.dumps({"attempts": named, "wait": self.wait}).encode()

    @classmethod
    def of(cls, content: bytes) -> Asked:
        """Return what the body of a request says. Raises `AskedWrongly`."""
        try:
            said = json.loads(content)
            attempts = [(each["job"], each["attempt"]) for each in said["attempts"]]
            wait = said.get("wait", False)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise AskedWrongly(f"It does not name attempts: {content[:100]!r}.") from error
        for job, attempt in attempts:
            if not isinstance(job, str) or type(attempt) is not int:
                raise AskedWrongly(f"{job!r:.100} and {attempt!r:.100} do not name an attempt.")
        if not isinstance(wait, bool) or len(attempts) > _MOST:
            raise AskedWrongly(f"It names {len(attempts)} attempts; {_MOST} are the most.")
        return cls(attempts, wait)


@dataclass(frozen=True)
class Told:
    """How far the spool of one attempt was shipped."""

    offset: int
    """Bytes of its records."""
    left: int
    """Bytes that are not shipped yet."""
    ended: bool
    """Whether the end of the run was among it."""
    busy: bool = False
    """Whether another ships it just now."""
    trouble: str | None = None
    """Why the rest was not shipped, in words; None if nothing is wrong."""
    metrics: dict[str, float | None] | None = None
    """Of a run that has ended the latest metrics, None for NaN; None of one that goes on or is not there."""
    params: dict[str, str] | None = None
    """Its parameters likewise."""


def answer(told: Sequence[Told]) -> bytes:
    """Return the body of the answer."""
    return json.dumps({"attempts": [asdict(each) for each in told]}).encode()


def answered(content: bytes) -> list[Told]:
    """Return what the body of an answer says, in the order in which it was asked. Raises ValueError."""
    try:
        return [Told(**each) for each in json.loads(content)["attempts"]]
    except (KeyError, TypeError) as error:
        raise ValueError(f"it is no answer: {content[:100]!r}") from error
