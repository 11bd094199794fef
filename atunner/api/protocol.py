"""HTTP/1.1 with a bound on what a client may send before its headers end, which the parser itself does not have."""

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD = 64 * 1024
CHUNK = 256 * 1024
"""The event loop reads at most this at once, so a short head may come with that much of its body."""


class Bounded(HttpToolsProtocol):
    """Closes a connection whose request line and headers do not end within `MAX_HEAD`."""

    _in_body = False
    _head = 0

    def data_received(self, data: bytes) -> None:
        """Parse, then count what has not become a request yet."""
        self._head += 0 if self._in_body else len(data)
        super().data_received(data)
        if self._head > MAX_HEAD + CHUNK:
            self.transport.close()

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header, whole."""
        super().on_header(name, value)
        if sum(len(n) + len(v) for n, v in self.headers) > MAX_HEAD:
            self.transport.close()

    def on_headers_complete(self) -> None:
        """The head ended."""
        self._in_body, self._head = True, 0
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The body ended; the next request begins."""
        self._in_body = False
        super().on_message_complete()
