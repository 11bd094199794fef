"""All tables. Every column that holds a value object holds its JSON, so a reader needs the value's type only."""

import json
from typing import Any

from sqlalchemy import (
    BigInteger,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

# SQLite numbers rows by itself only in a column declared INTEGER.
RowId = BigInteger().with_variant(Integer, "sqlite")


class JsonText(TypeDecorator[Any]):
    """JSON as ASCII text: exact floats, NaN, and NUL characters survive in every database."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """To text."""
        return None if value is None else json.dumps(value, separators=(",", ":"))

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        """From text."""
        return None if value is None else json.loads(value)


class Table(DeclarativeBase):
    """Base of all tables; constraints have names, so that migrations can change them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class MetadataRow(Table):
    """Facts about the database itself, such as the product version that last migrated it."""

    __tablename__ = "metadata"
    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[str] = mapped_column(Text)


class EnvironmentRow(Table):
    """Where figures were taken; id is the hash of body."""

    __tablename__ = "environments"
    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    device: Mapped[str] = mapped_column(Text)
    body: Mapped[Any] = mapped_column(JsonText)


class RunRow(Table):
    """The head of a run; its trials, screenings, notes and calls lie in their own tables."""

    __tablename__ = "runs"
    id: Mapped[str] = mapped_column(String(128), primary_key=True)
    task: Mapped[Any] = mapped_column(JsonText)
    task_id: Mapped[str] = mapped_column(String(64), index=True)
    domain: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(Text)
    subject: Mapped[str] = mapped_column(Text)
    target: Mapped[str] = mapped_column(Text)
    device_name: Mapped[str] = mapped_column(Text)
    arch: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(16), index=True)
    stop_reason: Mapped[str] = mapped_column(JsonText)
    facts: Mapped[Any | None] = mapped_column(JsonText)
    device: Mapped[Any | None] = mapped_column(JsonText)
    provenance: Mapped[str] = mapped_column(String(16))
    environment: Mapped[str | None] = mapped_column(ForeignKey("environments.id"))
    budget: Mapped[Any] = mapped_column(JsonText)
    spent: Mapped[Any] = mapped_column(JsonText)
    model: Mapped[str] = mapped_column(Text)
    baseline: Mapped[str | None] = mapped_column(String(64))
    confirmed: Mapped[Any | None] = mapped_column(JsonText)
    ratio: Mapped[float | None] = mapped_column(Float(53))
    best: Mapped[str | None] = mapped_column(String(64))
    created: Mapped[str] = mapped_column(String(40), index=True)
    finished: Mapped[str] = mapped_column(String(40))
    version: Mapped[str] = mapped_column(String(32))
    schema_version: Mapped[int] = mapped_column(Integer)

    __table_args__ = (Index("ix_runs_similar", "domain", "subject"),)


class FileRow(Table):
    """The content of a candidate's file, once for all candidates that have it; id is its SHA-256."""

    __tablename__ = "files"
    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)


class CandidateRow(Table):
    """A candidate's content; who proposed it is said by the trial, as that differs from run to run."""

    __tablename__ = "candidates"
    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    files: Mapped[Any] = mapped_column(JsonText)
    params: Mapped[Any] = mapped_column(JsonText)


class TrialRow(Table):
    """A candidate judged in a run, at most once; body is the trial without candidate and measurement."""

    __tablename__ = "trials"
    id: Mapped[int] = mapped_column(RowId, primary_key=True, autoincrement=True)
    run: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"))
    candidate: Mapped[str] = mapped_column(ForeignKey("candidates.id"), index=True)
    status: Mapped[str] = mapped_column(String(16), index=True)
    family: Mapped[str] = mapped_column(JsonText)
    origin: Mapped[Any] = mapped_column(JsonText)
    body: Mapped[Any] = mapped_column(JsonText)

    __table_args__ = (UniqueConstraint("run", "candidate"),)


class MeasurementRow(Table):
    """The figure of a trial: all its samples, and their median to sort by."""

    __tablename__ = "measurements"
    trial: Mapped[int] = mapped_column(ForeignKey("trials.id", ondelete="CASCADE"), primary_key=True)
    provenance: Mapped[str] = mapped_column(String(16))
    unit: Mapped[str] = mapped_column(String(32))
    value: Mapped[float] = mapped_column(Float(53))
    source: Mapped[str] = mapped_column(JsonText)
    environment: Mapped[str] = mapped_column(String(64), index=True)
    samples: Mapped[Any] = mapped_column(JsonText)
    error: Mapped[str] = mapped_column(JsonText)


class ScreeningRow(Table):
    """A cheap look at a candidate in a run; not a result."""

    __tablename__ = "screenings"
    id: Mapped[int] = mapped_column(RowId, primary_key=True, autoincrement=True)
    run: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"))
    candidate: Mapped[str] = mapped_column(ForeignKey("candidates.id"))
    score: Mapped[float | None] = mapped_column(Float(53))
    origin: Mapped[Any] = mapped_column(JsonText)
    body: Mapped[Any] = mapped_column(JsonText)

    __table_args__ = (UniqueConstraint("run", "candidate"),)


class NoteRow(Table):
    """What an agent said in a round of a run, at most once."""

    __tablename__ = "notes"
    id: Mapped[int] = mapped_column(RowId, primary_key=True, autoincrement=True)
    run: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"))
    round: Mapped[int] = mapped_column(Integer)
    agent: Mapped[str] = mapped_column(String(64))
    body: Mapped[Any] = mapped_column(JsonText)

    __table_args__ = (UniqueConstraint("run", "round", "agent"),)


class EventRow(Table):
    """An append-only stream, numbered from 1 without gaps; a stream is a run or a job."""

    __tablename__ = "events"
    stream: Mapped[str] = mapped_column(String(128), primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    key: Mapped[str | None] = mapped_column(String(128))
    kind: Mapped[str] = mapped_column(String(64))
    body: Mapped[Any] = mapped_column(JsonText)
    created: Mapped[str] = mapped_column(String(40))

    __table_args__ = (UniqueConstraint("stream", "key"),)


class ModelCallRow(Table):
    """A call of a language model, kept before its answer is used."""

    __tablename__ = "llm_calls"
    id: Mapped[int] = mapped_column(RowId, primary_key=True, autoincrement=True)
    run: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"))
    key: Mapped[str] = mapped_column(String(128))
    model: Mapped[str] = mapped_column(Text)
    outcome: Mapped[str] = mapped_column(String(16))
    tokens: Mapped[int] = mapped_column(BigInteger)
    input_tokens: Mapped[int] = mapped_column(BigInteger, server_default="0")
    output_tokens: Mapped[int] = mapped_column(BigInteger, server_default="0")
    usd: Mapped[float] = mapped_column(Float(53))
    seconds: Mapped[float] = mapped_column(Float(53))
    body: Mapped[Any] = mapped_column(JsonText)

    __table_args__ = (UniqueConstraint("run", "key"),)


class StageTimeRow(Table):
    """How often a run did a stage, and how long in all."""

    __tablename__ = "stage_times"
    run: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    stage: Mapped[str] = mapped_column(String(64), primary_key=True)
    count: Mapped[int] = mapped_column(BigInteger)
    seconds: Mapped[float] = mapped_column(Float(53))


class JobRow(Table):
    """A run that the service queues. token: the fencing token, raised whenever the job changes hands."""

    __tablename__ = "jobs"
    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    idempotency_key: Mapped[str | None] = mapped_column(String(200), unique=True)
    domain: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(Text)
    target: Mapped[str] = mapped_column(Text)
    request: Mapped[Any] = mapped_column(JsonText)
    owner: Mapped[str] = mapped_column(String(128), index=True)
    parent: Mapped[str | None] = mapped_column(String(64))
    run: Mapped[str | None] = mapped_column(String(128))
    state: Mapped[str] = mapped_column(String(16))
    priority: Mapped[int] = mapped_column(Integer)
    reason: Mapped[str] = mapped_column(JsonText)
    token: Mapped[int] = mapped_column(BigInteger)
    attempts: Mapped[int] = mapped_column(Integer)
    stalled: Mapped[int] = mapped_column(Integer)
    progress: Mapped[int] = mapped_column(BigInteger)
    progress_at_claim: Mapped[int] = mapped_column(BigInteger)
    worker: Mapped[str] = mapped_column(String(128))
    lease_until: Mapped[float | None] = mapped_column(Float(53))
    created: Mapped[float] = mapped_column(Float(53))
    started: Mapped[float | None] = mapped_column(Float(53))
    finished: Mapped[float | None] = mapped_column(Float(53))

    __table_args__ = (
        Index("ix_jobs_queue", "state", "priority", "created"),
        Index("ix_jobs_lease", "state", "lease_until"),
        Index("ix_jobs_open", "owner", "state"),
    )


class JobLabelRow(Table):
    """A label of a job, to filter by."""

    __tablename__ = "job_labels"
    job: Mapped[str] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[str] = mapped_column(String(256))

    __table_args__ = (Index("ix_job_labels_name", "name", "value"),)
