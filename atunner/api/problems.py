"""Every error as problem details (RFC 9457): what was expected, what came, what to do."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Match

from atunner.core.errors import ATunnerError, ToolError, UserError
from atunner.jobs import forms
from atunner.knowledge_base.jobs import UnknownJob
from atunner.knowledge_base.runs import UnknownRun

MEDIA = "application/problem+json"


class Problem(BaseModel):
    """Problem details. errors: the fields that are wrong, one line each."""

    type: str = Field(default="about:blank", max_length=100)
    title: str = Field(max_length=100)
    status: int = Field(ge=400, le=599)
    detail: str = Field(default="", max_length=4000)
    errors: list[str] = Field(default_factory=list, max_length=100)


class NoRun(UserError):
    """The job has not begun."""


class Refused(UserError):
    """A request that is understood and refused, with the HTTP status that says so."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status


def answer(
    status: int, detail: str = "", errors: tuple[str, ...] = (), headers: Mapping[str, str] | None = None
) -> Response:
    """The response of a problem."""
    title = HTTPStatus(status).phrase
    problem = Problem(title=title, status=status, detail=detail[:4000], errors=list(errors)[:100])
    return JSONResponse(problem.model_dump(), status, dict(headers or {}), media_type=MEDIA)


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route: these statuses, and those that every route may give."""
    every = {400, 401, 403, 413, 421, 422, 429, 500, 503, *statuses}
    content = {MEDIA: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": HTTPStatus(status).phrase, "content": content} for status in sorted(every)}


def status_of(error: ATunnerError) -> int:
    """Not found, refused, unavailable or wrong."""
    if isinstance(error, NoRun):
        return 409
    if isinstance(error, Refused):
        return error.status
    if isinstance(error, UnknownJob | UnknownRun):
        return 404
    return 503 if isinstance(error, ToolError) else 422


Page = Callable[[int, str, str], Response]


def install(app: FastAPI, page: Page) -> None:
    """Make every error of the application problem details; a browser that asked for a page gets one."""

    def told(request: Request, made: Response, detail: str) -> Response:
        wants = "text/html" in request.headers.get("accept", "") and not request.url.path.startswith("/api/")
        return page(made.status_code, HTTPStatus(made.status_code).phrase, detail) if wants else made

    @app.exception_handler(ATunnerError)
    def ours(request: Request, error: ATunnerError) -> Response:
        return told(request, answer(status_of(error), str(error)), str(error))

    @app.exception_handler(HTTPException)
    def http(request: Request, error: HTTPException) -> Response:
        headers = {"Allow": _methods(request)} if error.status_code == 405 else error.headers
        detail = _plainly(request, error)
        return told(request, answer(error.status_code, detail, headers=headers), detail)

    @app.exception_handler(RequestValidationError)
    def invalid(request: Request, error: RequestValidationError) -> Response:
        lines = tuple(forms.line(one) for one in error.errors())
        page = not request.url.path.startswith("/api/") and all(one["loc"][0] == "path" for one in error.errors())
        status = 404 if page else 422
        return told(request, answer(status, lines[0] if lines else "", lines), "; ".join(lines))

    @app.exception_handler(Exception)
    def unexpected(request: Request, error: Exception) -> Response:
        text = "An unexpected error; the server's log has the traceback."
        return told(request, answer(500, text), text)


def _plainly(request: Request, error: HTTPException) -> str:
    """What the framework says in two words, with what was asked for."""
    path = request.url.path[:100]
    if error.status_code == 404 and error.detail == "Not Found":
        return f"There is nothing at {path}."
    if error.status_code == 405:
        return f"{path} takes {_methods(request)}, not {request.method}."
    return str(error.detail)


def _methods(request: Request) -> str:
    """All that can be asked of the path: the framework knows those of one route only."""
    fitting = [route for route in _all(request.app.routes) if route.matches(request.scope)[0] is not Match.NONE]
    return ", ".join(sorted({method for route in fitting for method in getattr(route, "methods", None) or ()}))


def _all(routes: Sequence[BaseRoute]) -> Iterator[BaseRoute]:
    """Routes and those of routers that were included, which newer versions of the framework keep apart."""
    for route in routes:
        inner = getattr(route, "original_router", None)
        yield from _all(inner.routes) if inner is not None else (route,)
