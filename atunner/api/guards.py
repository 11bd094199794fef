"""What a request must pass before any route sees it: host, origin, key, size; and the headers of every answer."""

import base64
import binascii
from collections import Counter
from collections.abc import Awaitable, Callable, MutableMapping
from math import ceil
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import Response

from atunner.api.keys import Key, Scope, owner
from atunner.api.problems import answer
from atunner.api.rates import Rates

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

MAX_BODY = 256 * 1024
LIMIT = f"A request's body has at most {MAX_BODY} bytes."
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
OPEN = frozenset({"/healthz", "/readyz"})
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
    "cache-control": "no-store",
}


class Guards:
    """ASGI middleware. hosts: names that the Host header may have; empty lets all pass. keys: none lets all in.

    answered: counts answers by status.
    """

    def __init__(self, app: App, hosts: frozenset[str], keys: tuple[Key, ...], answered: Counter[int]) -> None:
        self._app, self._hosts, self._keys, self._rates = app, hosts, keys, Rates()
        self._answered = answered

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Refuse with problem details, or pass on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refused = self._refusal(scope, headers)
        if refused is not None:
            await refused(scope, receive, self._dressed(send))
            return
        await self._app(scope, _bounded(receive), self._dressed(send))

    def _refusal(self, scope: MutableMapping[str, Any], headers: Headers) -> Response | None:
        host = headers.get("host", "")
        if self._hosts and _name(host) not in self._hosts:
            return answer(421, f"This server answers to {', '.join(sorted(self._hosts))}, not to {host[:100]!r}.")
        if scope["method"] not in SAFE and not _same_origin(headers, host):
            return answer(
                403,
                "A page of another origin may not change anything here; programs send Content-Type: application/json.",
            )
        length = headers.get("content-length", "0")
        if not length.isascii() or not length.isdigit():
            return answer(400, "Content-Length must be a number.")
        if len(length) > 12 or int(length) > MAX_BODY:
            return _too_large()
        return self._unauthorised(scope, headers)

    def _unauthorised(self, scope: MutableMapping[str, Any], headers: Headers) -> Response | None:
        if not self._keys or scope["path"] in OPEN:
            return None
        key = owner(self._keys, _secret(headers.get("authorization", "")))
        if key is None:
            challenge = {"www-authenticate": 'Bearer realm="atunner", Basic realm="atunner", charset="UTF-8"'}
            return answer(
                401, "Send a key: Authorization: Bearer KEY (a browser asks for it as password).", (), challenge
            )
        wanted = Scope.READ if scope["method"] in SAFE else Scope.SUBMIT
        wanted = Scope.ADMIN if _deletes(scope) else wanted
        if wanted not in key.scopes:
            return answer(403, f"The key {key.name!r} lacks the scope {wanted.value!r}.")
        scope["atunner_asker"] = key.asker
        wait = self._rates.wait(key.name, key.limits.per_s)
        if wait > 0:
            said = f"The key {key.name!r} may ask {key.limits.per_s} times a second. Try again in {wait:.1f} s."
            return answer(429, said, (), {"retry-after": str(ceil(wait))})
        return None

    def _dressed(self, send: Send) -> Send:
        async def dress(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._answered[int(message["status"])] += 1
                headers = MutableHeaders(raw=message.setdefault("headers", []))
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        return dress


def _deletes(scope: MutableMapping[str, Any]) -> bool:
    return scope["method"] == "DELETE" or str(scope["path"]).endswith("/delete")


def _name(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _same_origin(headers: Headers, host: str) -> bool:
    """Browsers say where a request comes from; other clients send neither header."""
    site = headers.get("sec-fetch-site")
    if site is not None and site not in ("same-origin", "none"):
        return False
    origin = headers.get("origin")
    if origin is None:
        return not headers.get("content-type", "").startswith("application/x-www-form-urlencoded") or site is not None
    try:
        return urlsplit(origin).netloc.lower() == host.lower() != ""
    except ValueError:
        return False


def _secret(header: str) -> str:
    kind, _, value = header.partition(" ")
    if kind.lower() == "bearer":
        return value.strip()
    if kind.lower() == "basic":
        try:
            return base64.b64decode(value, validate=True).decode().partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            return ""
    return ""


def _too_large() -> Response:
    return answer(413, LIMIT)


def _bounded(receive: Receive) -> Receive:
    taken = 0

    async def take() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > MAX_BODY:
            raise HTTPException(413, LIMIT)
        return message

    return take
