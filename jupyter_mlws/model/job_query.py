"""A question about jobs: which, in what order, and from where on."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from jupyter_mlws.model.job import JobKind
from jupyter_mlws.model.record import Record
from jupyter_mlws.model.status import JobStatus

SMALLEST_PAGE, LARGEST_PAGE = 1, 500
MOST_COMPARED = 100


class JobSort(StrEnum):
    """What jobs can be ordered by. A job that has not ended counts as ended after all others.

    By a metric, those that have it as a number.
    """

    CREATED = "created"
    ENDED = "ended"
    NAME = "name"
    SECONDS = "seconds"
    METRIC = "metric"


def _none_when_empty(text: str | None) -> str | None:
    return text or None


# No upper length: a text longer than any name is a right question, whose answer is empty.
Filter = Annotated[
    str | None,
    StringConstraints(strip_whitespace=True),
    AfterValidator(_none_when_empty),
    Field(default=None),
]
"""A text to compare with, exactly. None or empty: everything matches."""


class JobQuery(Record):
    """A page of jobs that match every filter which is given; an empty list or text is no filter."""

    status: list[JobStatus] = Field(default_factory=list)
    """Any of these."""
    name: Filter = None
    experiment: Filter = None
    compute: Filter = None
    kind: JobKind | None = None
    created_by: Filter = None
    q: Filter = None
    """Part of the name; upper and lower case are the same."""
    metric: Filter = None
    """Only jobs that have this metric; with `sort=metric`, in the order of its latest value."""
    sort: JobSort = JobSort.CREATED
    descending: bool = True
    cursor: str | None = None
    """`JobPage.next` of the page before, under the same sort and direction."""
    limit: Annotated[int, Field(ge=SMALLEST_PAGE, le=LARGEST_PAGE)] = 50

    @model_validator(mode="after")
    def _names_the_metric(self) -> Self:
        if self.sort is JobSort.METRIC and self.metric is None:
            raise ValueError("sort=metric needs the name of a metric: give metric=NAME too")
        return self


class ComparisonQuery(Record):
    """Which jobs to put side by side."""

    id: Annotated[list[str], Field(min_length=1, max_length=MOST_COMPARED)]
    """Ids, in the order of the answer."""
