"""The application: routes, guards, and a worker beside them where one is wanted."""

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware

from atunner import __version__
from atunner.api import artefacts, health, jobs, knowledge, metrics, pages, problems, results, stream
from atunner.api.assets import Static
from atunner.api.context import Service
from atunner.api.guards import Guards
from atunner.api.keys import Key
from atunner.core.value import Value
from atunner.knowledge_base.jobs import JobStore
from atunner.knowledge_base.store import Store
from atunner.service.check import Admission
from atunner.service.processes import LEASE_S, make_worker
from atunner.settings import Settings
from atunner.tools.sandbox import strongest

ABOUT = """Submit tuning jobs, watch them, and take their verified results. Accepted jobs are not lost; results appear
at most once; order is by priority, then age. Every error is problem details (RFC 9457)."""


class Serving(Value):
    """How to serve. hosts: names that requests may use, empty for any. slots: jobs at once, 0 for no worker here."""

    hosts: frozenset[str] = frozenset({"127.0.0.1", "localhost", "::1"})
    keys: tuple[Key, ...] = ()
    slots: int = 1
    lease_s: float = LEASE_S


def create(settings: Settings, serving: Serving) -> FastAPI:
    """The application on the settings' database, which is opened and migrated here.

    Raises:
        UserError: the database cannot be opened, or is newer than this code.
    """
    queue = JobStore(settings.database_url, serving.lease_s)
    app = FastAPI(
        title="ATunner",
        version=__version__,
        description=ABOUT,
        lifespan=_lifespan(settings, serving),
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
    )
    app.state.service = Service(
        settings,
        queue,
        Store(queue.database),
        serving.slots > 0,
        Admission(settings, strongest if serving.slots else None),
    )
    problems.install(app, pages.error_page)
    for room in (jobs, stream, results, artefacts, knowledge, health, metrics, pages):
        app.include_router(room.router)
    app.mount("/static", Static(), name="static")
    app.add_middleware(GZipMiddleware, minimum_size=2000, compresslevel=5)
    app.add_middleware(Guards, hosts=serving.hosts, keys=serving.keys, answered=app.state.service.answered)
    _describe(app)
    return app


def _lifespan(settings: Settings, serving: Serving) -> Any:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        stop = threading.Event()
        thread = threading.Thread(target=_work, args=(settings, serving, stop), name="worker")
        if serving.slots:
            thread.start()
        try:
            yield
        finally:
            stop.set()
            if serving.slots:
                thread.join()
            app.state.service.jobs.close()

    return lifespan


def _work(settings: Settings, serving: Serving, stop: threading.Event) -> None:
    from atunner.jobs.worker import Pace

    make_worker(settings, Pace(slots=serving.slots), serving.lease_s).run(stop)


def _describe(app: FastAPI) -> None:
    """Problem details in the schema, in place of the framework's own error type."""
    made = app.openapi

    def openapi() -> dict[str, Any]:
        schema = made()
        shapes = schema.setdefault("components", {}).setdefault("schemas", {})
        shapes.setdefault("Problem", problems.Problem.model_json_schema())
        for unused in ("HTTPValidationError", "ValidationError"):
            shapes.pop(unused, None)
        return schema

    app.openapi = openapi  # type: ignore[method-assign]  # the way that FastAPI documents
