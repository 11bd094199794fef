"""Candidates as rows: content by hash, each file stored once."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, Row, func, select

from atunner.core.candidate import Candidate
from atunner.core.value import Value
from atunner.knowledge_base.database import Database
from atunner.knowledge_base.tables import CandidateRow, FileRow, TrialRow


class Artefact(Value):
    """A file of a candidate. id: the SHA-256 of its content."""

    candidate: str
    name: str
    id: str
    bytes: int


Texts = Mapping[str, str]
AnyRow = Row[*tuple[Any, ...]]


def keep(database: Database, connection: Connection, candidates: Iterable[Candidate]) -> None:
    """Store the content of candidates that is not there yet."""
    files: dict[str, bytes] = {}
    rows = []
    for candidate in candidates:
        # Models write lone surrogates at times; they must not cost the trial.
        contents = {name: text.encode("utf-8", "surrogatepass") for name, text in candidate.files.items()}
        ids = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
        files |= {ids[name]: content for name, content in contents.items()}
        rows.append({"id": candidate.id, "files": ids, "params": candidate.params})
    database.add(connection, FileRow, [{"id": id_, "content": content} for id_, content in files.items()])
    database.add(connection, CandidateRow, rows)


def origin(candidate: Candidate) -> dict[str, Any]:
    """What one proposal says of a candidate beyond its content; kept with the trial or screening."""
    return candidate.model_dump(mode="json", include={"family", "origin", "parent", "note"})


def texts(connection: Connection, rows: Iterable[AnyRow]) -> dict[str, str]:
    """The contents of all files that the rows name, by id."""
    ids = sorted({id_ for row in rows for id_ in row.files.values()})
    found: dict[str, str] = {}
    for start in range(0, len(ids), 500):
        query = select(FileRow.id, FileRow.content).where(FileRow.id.in_(ids[start : start + 500]))
        found |= {row.id: row.content.decode("utf-8", "surrogatepass") for row in connection.execute(query)}
    return found


def artefacts(connection: Connection, run: str, limit: int, offset: int) -> list[Artefact]:
    """The files of a run's candidates, `limit` candidates from `offset` on, in the order judged."""
    query = select(CandidateRow.id, CandidateRow.files).join(TrialRow, TrialRow.candidate == CandidateRow.id)
    rows = connection.execute(query.where(TrialRow.run == run).order_by(TrialRow.id).limit(limit).offset(offset)).all()
    ids = sorted({id_ for row in rows for id_ in row.files.values()})
    sizes: dict[str, int] = {}
    for start in range(0, len(ids), 500):
        size = select(FileRow.id, func.length(FileRow.content)).where(FileRow.id.in_(ids[start : start + 500]))
        sizes |= {id_: int(length) for id_, length in connection.execute(size)}
    return [
        Artefact(candidate=row.id, name=name, id=id_, bytes=sizes[id_])
        for row in rows
        for name, id_ in sorted(row.files.items())
    ]


def content(connection: Connection, digest: str) -> bytes | None:
    """The content of that hash, None when there is none."""
    found = connection.execute(select(FileRow.content).where(FileRow.id == digest)).scalar()
    return None if found is None else bytes(found)


def candidate(row: AnyRow, contents: Texts) -> Candidate:
    """The candidate of a row with files, params and origin."""
    files = {name: contents[id_] for name, id_ in row.files.items()}
    return Candidate(files=files, params=row.params, **row.origin)
