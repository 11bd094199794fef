"""A server on a real socket, in a thread of this process, with the protocol that `atunner serve` uses."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from atunner.api.app import Serving, create
from atunner.api.protocol import Bounded
from atunner.settings import Settings


@contextmanager
def listening(settings: Settings) -> Iterator[int]:
    """Its port; it has no worker."""
    app = create(settings, Serving(slots=0))
    bound = socket.socket()
    bound.bind(("127.0.0.1", 0))
    bound.listen()
    server = uvicorn.Server(uvicorn.Config(app, http=Bounded, log_level="critical"))
    thread = threading.Thread(target=server.run, args=([bound],))
    thread.start()
    try:
        yield bound.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join()
