"""Listening: where, with which keys, and one line when that cannot be."""

import errno
import ipaddress
import socket
from contextlib import suppress

import uvicorn

from atunner.api import keys
from atunner.api.app import Serving, create
from atunner.api.protocol import Bounded
from atunner.core.errors import UserError
from atunner.core.value import Value
from atunner.service.check import warm
from atunner.settings import Settings

GRACE_S = 3


class Place(Value):
    """Where to listen. port: 0 for a free one. names: further host names. slots, lease_s: as in Serving."""

    host: str = "127.0.0.1"
    port: int = 0
    names: frozenset[str] = frozenset()
    slots: int = 1
    lease_s: float = 30.0


def serve(settings: Settings, place: Place) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises:
        UserError: the port is taken, the host is not this machine's, or it is beyond loopback and there is no key.
    """
    host, known = place.host, keys.read(settings.key_file)
    if not _loopback(host) and not known:
        raise UserError(
            f"--host {host} can be reached by others, and no API key is configured. "
            "Make one with: atunner serve --new-key NAME"
        )
    with _bound(host, place.port) as bound:
        chosen = bound.getsockname()[1]
        serving = Serving(hosts=_names(host, place.names), keys=known, slots=place.slots, lease_s=place.lease_s)
        app = create(settings, serving)
        warm()
        print(f"ATunner on http://{_shown(host)}:{chosen} - stop with Ctrl-C", flush=True)  # noqa: T201 - where to look
        config = uvicorn.Config(
            app,
            http=Bounded,
            log_level="warning",
            timeout_graceful_shutdown=GRACE_S,
            server_header=False,
        )
        with suppress(KeyboardInterrupt):  # raised again by uvicorn after an orderly end, which is what was asked for
            uvicorn.Server(config).run([bound])


def new_key(settings: Settings, name: str, scopes: tuple[str, ...], per_s: int = 100, open_jobs: int = 1000) -> str:
    """Add a key to the file beside the database and return it.

    Raises:
        UserError: the name or a scope is not one.
    """
    known = {s.value for s in keys.Scope}
    if not scopes or set(scopes) - known:
        raise UserError(f"--scopes takes some of {', '.join(sorted(known))}; got {', '.join(scopes) or 'none'}.")
    limits = keys.Limits(per_s=per_s, open_jobs=open_jobs)
    return keys.add(settings.key_file, name, frozenset(keys.Scope(s) for s in scopes), limits)


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
        bound.listen(512)
    except OSError as error:
        bound.close()
        if error.errno == errno.EADDRINUSE:
            raise UserError(
                f"Port {port} on {host} is in use. Choose another with --port, or 0 for a free one."
            ) from error
        raise UserError(
            f"Cannot listen on {host}:{port}: {error.strerror}. Change it with --host and --port."
        ) from error
    return bound


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _names(host: str, names: frozenset[str]) -> frozenset[str]:
    """Loopback answers to its own names only, against DNS rebinding; elsewhere keys guard, and names may be set."""
    if _loopback(host):
        return frozenset({"127.0.0.1", "localhost", "::1", host, *names})
    return names


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host
