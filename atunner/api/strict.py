"""Routes that take what they name, each once, and nothing else: a request that could be read in two ways is refused."""

import json
from collections.abc import Callable, Coroutine
from typing import Any, get_args, get_origin

from fastapi import Request, Response
from fastapi.routing import APIRoute

from atunner.api.problems import Refused
from atunner.core.errors import UnknownName

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class Strict(APIRoute):
    """Refuses with 422 a parameter that the route does not have, or has once and was given twice."""

    def get_route_handler(self) -> Handler:
        """The route's own handler behind the checks."""
        handle = super().get_route_handler()
        many = {one.alias: _takes_many(one.field_info.annotation) for one in self.dependant.query_params}

        async def strict(request: Request) -> Response:
            _check(request, many)
            return await handle(_Once(request.scope, request.receive))

        return strict


def _takes_many(annotation: object) -> bool:
    return any(get_origin(one) is list for one in (annotation, *get_args(annotation)))


def _check(request: Request, many: dict[str, bool]) -> None:
    given = [name for name, _ in request.query_params.multi_items()]
    for name in given:
        if name not in many:
            nothing = f"This takes no parameters; got {name[:80]!r}."
            raise Refused(422, str(UnknownName("parameter", name[:80], many)) if many else nothing)
        if given.count(name) > 1 and not many[name]:
            raise Refused(422, f"query.{name}: expected one, got {given.count(name)}.")


class _Once(Request):
    """A request whose JSON names each field once; whatever else it is, the answer is 422 and says what is wrong."""

    async def json(self) -> Any:
        """The body.

        Raises:
            JSONDecodeError: it is not JSON, not UTF-8, nested too deeply, or names a field twice.
        """
        body = await self.body()
        try:
            return json.loads(body, object_pairs_hook=_named_once, parse_constant=_no_number)
        except UnicodeDecodeError as error:
            raise json.JSONDecodeError("it is not UTF-8", "", 0) from error
        except RecursionError as error:
            raise json.JSONDecodeError("it is nested too deeply", "", 0) from error


def _named_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise json.JSONDecodeError(f"the name {twice[:80]!r} stands twice", "", 0)
    return found


def _no_number(text: str) -> Any:
    raise json.JSONDecodeError(f"{text} is not a number of JSON", "", 0)
