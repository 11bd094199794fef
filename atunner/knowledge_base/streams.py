"""What is said during a run, in order: agents' notes, events, and calls of models."""

from collections.abc import Mapping

from pydantic import JsonValue
from sqlalchemy import Connection, func, insert, select, update

from atunner.core.call import ModelCall
from atunner.core.record import AgentNote
from atunner.core.task import Spent
from atunner.core.value import Value
from atunner.knowledge_base.database import Database
from atunner.knowledge_base.runs import now
from atunner.knowledge_base.tables import EventRow, ModelCallRow, NoteRow, StageTimeRow


class Event(Value):
    """One entry of a stream. seq: 1, 2, 3, ... without gaps."""

    stream: str
    seq: int
    kind: str
    body: JsonValue
    created: str


class Spell(Value):
    """Some repetitions of one stage, and the seconds that they took in all."""

    count: int = 0
    seconds: float = 0.0

    def plus(self, seconds: float) -> "Spell":
        """With one more of that length."""
        return Spell(count=self.count + 1, seconds=self.seconds + seconds)


def add_time(database: Database, connection: Connection, run: str, stage: str, spell: Spell) -> None:
    """Add to the stage's times."""
    database.add(connection, StageTimeRow, [{"run": run, "stage": stage[:64], "count": 0, "seconds": 0.0}])
    row = StageTimeRow
    added = {"count": row.count + spell.count, "seconds": row.seconds + spell.seconds}
    connection.execute(update(row).where(row.run == run, row.stage == stage[:64]).values(added))


def keep_note(database: Database, connection: Connection, run: str, note: AgentNote) -> None:
    """Store a note unless that agent has one in that round."""
    row = {"run": run, "round": note.round, "agent": note.agent, "body": note.model_dump(mode="json")}
    database.add(connection, NoteRow, [row])


def notes(connection: Connection, run: str) -> list[AgentNote]:
    """All notes of a run, in the order stored."""
    query = select(NoteRow.body).where(NoteRow.run == run).order_by(NoteRow.id)
    return [AgentNote.model_validate(body) for body in connection.execute(query).scalars()]


def append(
    database: Database, connection: Connection, stream: str, kind: str, body: Mapping[str, JsonValue], key: str | None
) -> int:
    """Add an event at the end of a stream; its number, or that of the event with the same key."""
    database.serialise(connection, stream)
    if key is not None:
        found = select(EventRow.seq).where(EventRow.stream == stream, EventRow.key == key)
        earlier = connection.execute(found).scalar()
        if earlier is not None:
            return int(earlier)
    last = connection.execute(select(func.max(EventRow.seq)).where(EventRow.stream == stream)).scalar()
    seq = int(last or 0) + 1
    row = {"stream": stream, "seq": seq, "key": key, "kind": kind, "body": dict(body), "created": now()}
    connection.execute(insert(EventRow), [row])
    return seq


def begin(connection: Connection, stream: str, kind: str, body: Mapping[str, JsonValue], key: str) -> None:
    """The first event of a stream that nobody else can know yet, such as that of a job that is being accepted."""
    row = {"stream": stream, "seq": 1, "key": key, "kind": kind, "body": dict(body), "created": now()}
    connection.execute(insert(EventRow), [row])


def events(connection: Connection, stream: str, after: int, limit: int) -> list[Event]:
    """The events of a stream with a number above `after`."""
    query = select(EventRow.seq, EventRow.kind, EventRow.body, EventRow.created)
    query = query.where(EventRow.stream == stream, EventRow.seq > after).order_by(EventRow.seq).limit(limit)
    return [Event(stream=stream, **row._mapping) for row in connection.execute(query)]


def keep_call(database: Database, connection: Connection, run: str, call: ModelCall) -> None:
    """Store a model call unless the run has one of that key."""
    row = {
        "run": run,
        "key": call.key,
        "model": call.model,
        "outcome": call.outcome,
        "tokens": call.input_tokens + call.output_tokens,
        "input_tokens": call.input_tokens,
        "output_tokens": call.output_tokens,
        "usd": call.usd or 0.0,
        "seconds": call.seconds,
        "body": (call if call.created else call.model_copy(update={"created": now()})).model_dump(mode="json"),
    }
    database.add(connection, ModelCallRow, [row])


def calls(
    connection: Connection, run: str, key: str | None = None, limit: int | None = None, offset: int = 0
) -> list[ModelCall]:
    """The calls of a run, in the order stored; only that of `key` if given."""
    query = select(ModelCallRow.body).where(ModelCallRow.run == run).order_by(ModelCallRow.id)
    if key is not None:
        query = query.where(ModelCallRow.key == key)
    query = query.limit(limit).offset(offset) if limit is not None else query
    return [ModelCall.model_validate(body) for body in connection.execute(query).scalars()]


def call_totals(connection: Connection, run: str) -> Spent:
    """Tokens, dollars and seconds of all calls of a run."""
    sums = (func.sum(ModelCallRow.tokens), func.sum(ModelCallRow.usd), func.sum(ModelCallRow.seconds))
    tokens, usd, seconds = connection.execute(select(*sums).where(ModelCallRow.run == run)).one()
    return Spent(tokens=int(tokens or 0), usd=float(usd or 0.0), seconds=float(seconds or 0.0))
