"""The dashboard's own files: addressed with a hash of their content, so that browsers keep them for good."""

import hashlib
from functools import lru_cache
from importlib.resources import files
from urllib.parse import parse_qs

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

ROOT = files("atunner.api") / "static"
FOR_GOOD = "public, max-age=31536000, immutable"


@lru_cache
def asset(name: str) -> str:
    """The address of a file, which changes when the file does."""
    content = ROOT.joinpath(*name.split("/")).read_bytes()
    return f"/static/{name}?v={hashlib.sha256(content).hexdigest()[:10]}"


class Static(StaticFiles):
    """Files under /static; those asked for by version are kept, the others are asked for again each time."""

    def __init__(self) -> None:
        super().__init__(directory=str(ROOT))

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file, with how long it may be kept."""
        found = await super().get_response(path, scope)
        versioned = "v" in parse_qs(scope["query_string"].decode("latin-1"))
        found.headers["cache-control"] = FOR_GOOD if versioned and found.status_code == 200 else "no-cache"
        return found
