"""Writes the records of a spool into MLflow's tables: many in one transaction, where MLflow would take many.

What it writes is what MLflow's own handlers would have, after MLflow's own checks; what it is not sure of it
leaves to them (`NotTogether`). Rests on the inside of MLflow 3.17.2.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from mlflow.entities import LifecycleStage, RunStatus, SourceType
from mlflow.protos.service_pb2 import CreateRun
from mlflow.store.tracking.dbmodels import models
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID, MLFLOW_RUN_NAME
from mlflow.utils.name_utils import _generate_random_name
from mlflow.utils.proto_json_utils import parse_dict
from mlflow.utils.uri import append_to_uri_path
from sqlalchemy.dialects.sqlite import insert

from jupyter_mlws.tracking.chosen_ids import RUN_TAG, wishes
from jupyter_mlws.tracking.gathered_run import GatheredRun, Row, is_later
from jupyter_mlws.tracking.pieces import CREATE_RUN, Record
from jupyter_mlws.tracking.troubles import NotTogether, Unreachable

_ACTIVE = LifecycleStage.ACTIVE
_RUNNING = RunStatus.to_string(RunStatus.RUNNING)
_KEYS_A_QUERY = 500
_OPEN_CHILDREN = sa.text(
    # A child is made after its parent, so that its row comes later: few rows are looked at.
    "SELECT runs.run_uuid FROM runs CROSS JOIN tags ON tags.run_uuid = runs.run_uuid"
    " AND tags.key = :key AND tags.value = :parent"
    " WHERE runs.rowid > (SELECT rowid FROM runs WHERE run_uuid = :parent)"
    " AND runs.status = :running AND runs.lifecycle_stage = :active"
)


class Tables:
    """MLflow's tables, for one transaction of ours at a time."""

    def __init__(self, engine: sa.Engine) -> None:
        """`engine` is that of MLflow's store."""
        self._engine = engine
        self._writing = threading.Lock()  # SQLite would have the second wait too, but by looking again

    def apply_together(self, records: Sequence[Record]) -> None:
        """Apply records in one transaction, or none of them. Raises `NotTogether` and `Unreachable`."""
        try:
            with self._writing, _transaction(self._engine) as connection:
                _Transaction(connection).apply(records)
        except NotTogether:
            raise
        except sa.exc.OperationalError as error:
            if getattr(error.orig, "sqlite_errorname", None) == "SQLITE_ERROR":
                # No such table or column: not trouble that passes.
                raise NotTogether(str(error.orig)) from error
            raise Unreachable(f"its database does not take anything: {error.orig}") from error
        except Exception as error:
            # MLflow refuses it, or its inside has changed: MLflow itself is to say.
            raise NotTogether(str(error)) from error

    def values(self, run_id: str) -> tuple[dict[str, float | None], dict[str, str]] | None:
        """Return the latest metrics of a run, None for NaN, and its parameters; None when it is not there.

        Raises `Unreachable`.
        """
        runs, latest, params = _table("SqlRun"), _table("SqlLatestMetric"), _table("SqlParam")
        try:
            with self._engine.connect() as connection:
                there = sa.select(sa.literal(1)).where(runs.c.run_uuid == run_id)
                if connection.execute(there).first() is None:
                    return None
                metrics = sa.select(latest.c.key, latest.c.value, latest.c.is_nan)
                measured = connection.execute(metrics.where(latest.c.run_uuid == run_id)).all()
                given = sa.select(params.c.key, params.c.value).where(params.c.run_uuid == run_id)
                return (
                    {key: None if is_nan else value for key, value, is_nan in measured},
                    {row.key: row.value for row in connection.execute(given)},
                )
        except sa.exc.OperationalError as error:
            raise Unreachable(f"its database does not answer: {error.orig}") from error


@contextmanager
def _transaction(engine: sa.Engine) -> Iterator[sa.Connection]:
    with engine.connect() as connection:
        # As MLflow sets them for each of its own.
        for setting in ("foreign_keys = ON", "busy_timeout = 20000", "case_sensitive_like = true"):
            connection.exec_driver_sql(f"PRAGMA {setting}")
        connection.exec_driver_sql("BEGIN IMMEDIATE")  # what is read below stays true
        yield connection
        connection.commit()


class _Transaction:
    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._runs: dict[str, GatheredRun] = {}
        self._known_params: dict[str, dict[str, str]] = {}

    def apply(self, records: Sequence[Record]) -> None:
        for record in records:
            if "run" in record:
                self._run(record["run"]).log(record, known_params=self._params_of)
            elif "end" in record:
                self._end(record)
            elif record["path"] == CREATE_RUN:
                self._create(record["body"])
            else:
                self._run(record["body"]["run_id"]).update(record["body"])
        self._write()

    # --- what the records say ----------------------------------------------------------------------------

    def _run(self, run_id: str) -> GatheredRun:
        """Return a run that may be written to. Raises `NotTogether` when there is none."""
        run = self._runs.get(run_id)
        if run is None:
            columns = self._columns(run_id)
            if columns is None or columns["lifecycle_stage"] != _ACTIVE:
                raise NotTogether(f"there is no active run {run_id}")
            run = self._runs[run_id] = GatheredRun(columns, is_new=False)
        return run

    def _columns(self, run_id: str) -> Row | None:
        runs = _table("SqlRun")
        query = sa.select(runs.c.run_uuid, runs.c.experiment_id, runs.c.lifecycle_stage, runs.c.status)
        found = self._connection.execute(query.where(runs.c.run_uuid == run_id)).mappings().first()
        return None if found is None else dict(found)

    def _params_of(self, run: GatheredRun) -> dict[str, str]:
        if run.is_new:
            return {}
        if run.id not in self._known_params:
            params = _table("SqlParam")
            query = sa.select(params.c.key, params.c.value).where(params.c.run_uuid == run.id)
            self._known_params[run.id] = {row.key: row.value for row in self._connection.execute(query)}
        return self._known_params[run.id]

    def _create(self, body: Mapping[str, Any]) -> None:
        """Create a run with the id that is wished for, if it is not there."""
        request = CreateRun()
        parse_dict(dict(body), request)
        run_id, experiment, tags = wishes(request.tags, RUN_TAG)
        if run_id is None:
            raise NotTogether("the run has no id")
        if run_id in self._runs or self._columns(run_id) is not None:
            return
        given = {tag.key: tag.value for tag in tags}
        name = request.run_name or given.get(MLFLOW_RUN_NAME) or _generate_random_name()
        if len(given) < len(tags) or given.setdefault(MLFLOW_RUN_NAME, name) != name:
            raise NotTogether("two tags, or names, contradict each other")
        number = int(request.experiment_id)
        columns = {
            "run_uuid": run_id,
            "name": name,
            "source_type": SourceType.to_string(SourceType.UNKNOWN),
            "source_name": "",
            "entry_point_name": "",
            "user_id": request.user_id,
            "status": _RUNNING,
            "start_time": request.start_time,
            "end_time": None,
            "deleted_time": None,
            "source_version": "",
            "lifecycle_stage": _ACTIVE,
            "artifact_uri": append_to_uri_path(self._location(number, experiment), run_id, "artifacts"),
            "experiment_id": number,
        }
        run = self._runs[run_id] = GatheredRun(columns, is_new=True)
        run.tags.update(given)

    def _location(self, number: int, name: str | None) -> str:
        """Return where an experiment keeps artifacts. Raises `NotTogether` if it must be made or restored."""
        experiments = _table("SqlExperiment")
        query = sa.select(experiments.c.artifact_location).where(
            experiments.c.experiment_id == number, experiments.c.lifecycle_stage == _ACTIVE
        )
        if name is not None:
            query = query.where(experiments.c.name == name)
        location = self._connection.execute(query).scalar()
        if location is None:
            raise NotTogether(f"there is no active experiment {number}")
        return str(location)

    def _end(self, record: Record) -> None:
        """End the job's run, and the runs under it that were not ended because the job was killed."""
        job = self._run(record["end"])
        change = {"status": record["status"], "end_time": record["end_time"]}
        for child in [*self._open_children(job), job]:
            child.update(change)

    def _open_children(self, job: GatheredRun) -> list[GatheredRun]:
        known = {"key": MLFLOW_PARENT_RUN_ID, "parent": job.id, "running": _RUNNING, "active": _ACTIVE}
        there = [] if job.is_new else self._connection.execute(_OPEN_CHILDREN, known).scalars().all()
        found = {run_id: self._run(run_id) for run_id in there}
        for run in self._runs.values():
            if run.tags.get(MLFLOW_PARENT_RUN_ID) == job.id:
                found[run.id] = run
        return [run for run in found.values() if run.columns["status"] == _RUNNING]

    # --- what becomes of it ------------------------------------------------------------------------------

    def _write(self) -> None:
        runs = list(self._runs.values())
        new, old = [run for run in runs if run.is_new], [run for run in runs if not run.is_new]
        self._insert("SqlRun", [run.columns for run in new])
        for run in old:
            if run.changed:
                table = _table("SqlRun")
                update = sa.update(table).where(table.c.run_uuid == run.id).values(**run.changed)
                self._connection.execute(update)
        self._insert("SqlTag", [_pair(run, *tag) for run in new for tag in run.tags.items()])
        self._upsert("SqlTag", ["value"], [_pair(run, *tag) for run in old for tag in run.tags.items()])
        self._insert("SqlParam", [_pair(run, *param) for run in runs for param in run.params.items()])
        metrics = [row for run in runs for row in run.metrics.values()]
        # Of those that are there already: they were sent before.
        self._insert("SqlMetric", metrics, unless_there=True)
        latest = [row for run in runs for row in self._latest(run)]
        self._upsert("SqlLatestMetric", ["value", "timestamp", "step", "is_nan"], latest)
        of_models = [row for run in runs for row in run.model_metrics.values()]
        self._insert("SqlLoggedModelMetric", of_models)

    def _latest(self, run: GatheredRun) -> Iterator[Row]:
        """Give the latest metrics that are later than those that the run had."""
        keys, known = sorted(run.latest), {}
        table = _table("SqlLatestMetric")
        for start in range(0, 0 if run.is_new else len(keys), _KEYS_A_QUERY):
            query = sa.select(table.c.key, table.c.value, table.c.timestamp, table.c.step).where(
                table.c.run_uuid == run.id, table.c.key.in_(keys[start : start + _KEYS_A_QUERY])
            )
            known.update({row["key"]: dict(row) for row in self._connection.execute(query).mappings()})
        for key in keys:
            if key not in known or is_later(run.latest[key], known[key]):
                yield run.latest[key]

    def _insert(self, model: str, rows: list[Row], *, unless_there: bool = False) -> None:
        if rows:
            statement = insert(_table(model))
            self._connection.execute(statement.on_conflict_do_nothing() if unless_there else statement, rows)

    def _upsert(self, model: str, columns: list[str], rows: list[Row]) -> None:
        if rows:
            statement = insert(_table(model))
            changed = {column: statement.excluded[column] for column in columns}
            self._connection.execute(
                statement.on_conflict_do_update(index_elements=["key", "run_uuid"], set_=changed), rows
            )


def _table(model: str) -> sa.Table:
    table: sa.Table = getattr(models, model).__table__
    return table


def _pair(run: GatheredRun, key: str, value: str) -> Row:
    return {"key": key, "value": value, "run_uuid": run.id}
