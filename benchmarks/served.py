"""A server in a process of its own, for the service's figures."""

import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from atunner.settings import environment
from atunner.tools.process import start
from atunner.tools.tree import descendants, kill_tree


def until(what: Callable[[], bool], timeout_s: float = 60.0) -> None:
    """Wait until something is so, or for `timeout_s`."""
    end = time.monotonic() + timeout_s
    while not what() and time.monotonic() < end:
        time.sleep(0.02)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Server:
    """`atunner serve` in a process of its own."""

    folder: Path
    slots: int = 0
    port: int = field(default_factory=free_port)

    def start(self) -> None:
        """On a free port, and the same one when it is started again; answering when this returns."""
        argv = [str(Path(sys.executable).parent / "atunner"), "serve", "--port", str(self.port)]
        told = {k: v for k, v in environment().items() if k != "ATUNNER_DATABASE"}
        told |= {"ATUNNER_DATA": str(self.folder), "ATUNNER_CACHE": str(self.folder)}
        self.process = start(*argv, "--slots", str(self.slots), env=told)
        until(self._answers)

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return True
        except OSError:
            return False

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def kill(self) -> None:
        """As kill -9 does."""
        below = descendants(self.process.pid)
        self.process.kill()
        self.process.wait()
        for pid in below:
            kill_tree(pid)

    @property
    def database(self) -> str:
        """The URL of its database."""
        return f"sqlite:///{self.folder / 'atunner.sqlite'}"

    @property
    def rss_mb(self) -> float:
        """Memory of the process."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


@contextmanager
def server(slots: int = 0) -> Iterator[Server]:
    """A server in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="atunner-bench-", ignore_cleanup_errors=True) as folder:
        found = Server(Path(folder), slots)
        found.start()
        try:
            yield found
        finally:
            found.kill()
