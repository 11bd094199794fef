"""Which of our types a checkpoint may hold, and where checkpoints lie."""

import inspect
from enum import Enum
from pathlib import Path
from types import ModuleType

import aiosqlite
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from pydantic import BaseModel

from atunner.agents import codegen, evaluation, fusion, hardware, operator, performance, rewrite
from atunner.core import candidate, device, diagnosis, facts, program, space, status, task
from atunner.graphs import state

MODULES = (
    *(codegen, evaluation, fusion, hardware, operator, performance, rewrite),
    *(candidate, device, diagnosis, facts, program, space, status, task, state),
)


def serializer() -> JsonPlusSerializer:
    """A serialiser that reads back our values and nothing else."""
    return JsonPlusSerializer(allowed_msgpack_modules=[t for m in MODULES for t in _ours(m)])


def _ours(module: ModuleType) -> list[tuple[str, str]]:
    return [
        (module.__name__, name)
        for name, kind in inspect.getmembers(module, inspect.isclass)
        if issubclass(kind, BaseModel | Enum) and kind.__module__ == module.__name__
    ]


def checkpoint_file(folder: Path) -> Path:
    """The SQLite file of all checkpoints under a data folder."""
    folder.mkdir(parents=True, exist_ok=True)
    return folder / "checkpoints.sqlite"


async def forget_proposals(connection: aiosqlite.Connection, run: str) -> None:
    """Delete what the strategy of a run has done, so that it proposes anew when the run goes on."""
    for table in ("checkpoints", "writes"):
        await connection.execute(f"DELETE FROM {table} WHERE thread_id = ? AND checkpoint_ns != ''", (run,))
    await connection.commit()
