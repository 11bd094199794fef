"""A GGUF file served in this process by llama.cpp (package xllamacpp), over its OpenAI-compatible port on loopback."""

import sys
from functools import lru_cache
from pathlib import Path
from typing import Any

from atunner.core.errors import UserError
from atunner.core.value import Value

CONTEXT = 8192
"""Tokens of context that are asked for; a file trained on fewer gets what it was trained on."""
MAGIC = b"GGUF"
QUIET = -1


class Served(Value):
    """Where a file is served. context: tokens that fit."""

    url: str
    name: str
    context: int


_servers: list[Any] = []
"""Servers stop when they are collected, so they live as long as this process."""


@lru_cache
def serve(file: Path, context: int = CONTEXT, threads: int = 1) -> Served:
    """Serve a file once in this process, at a port of the system's choice.

    Raises:
        UserError: xllamacpp is not installed, or the file is not a GGUF model that it can load.
    """
    try:
        with file.open("rb") as stream:
            magic = stream.read(4)
    except OSError as error:
        raise UserError(f"Cannot read the model {file}: {error.strerror}.") from error
    if magic != MAGIC:
        raise UserError(f"{file} is not a GGUF model: it begins with {magic!r}. Give a file that llama.cpp can load.")
    try:
        import xllamacpp
    except ImportError as error:
        raise UserError('gguf:FILE needs xllamacpp: pip install "atunner[local-llm]".') from error
    try:
        server = xllamacpp.Server(_parameters(xllamacpp, file, context, threads))
    except RuntimeError as error:
        raise UserError(f"llama.cpp cannot load {file}: {str(error).rstrip('.')}.") from error
    _servers.append(server)
    print(f"{file.name} is served at {server.listening_address}", file=sys.stderr)  # noqa: T201 - it may take a while
    return Served(url=f"{server.listening_address}/v1", name=file.stem, context=context)


def _parameters(xllamacpp: Any, file: Path, context: int, threads: int) -> Any:
    wanted = xllamacpp.CommonParams()
    wanted.model.path = str(file)
    wanted.n_ctx, wanted.n_parallel = context, 1
    wanted.cpuparams.n_threads = wanted.cpuparams_batch.n_threads = threads
    wanted.warmup = False
    wanted.hostnames, wanted.port, wanted.n_threads_http = ["127.0.0.1"], 0, 2
    wanted.verbosity = QUIET
    return wanted
