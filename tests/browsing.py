"""A real server in a process of its own, and what is looked at in a browser."""

import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import httpx
from service_jobs import WAIT_S, end, until

PICTURES = Path(__file__).parents[1] / "build" / "screenshots"


class Server:
    """`atunner serve` on a port that stays the same when it is started again."""

    def __init__(self, folder: Path, slots: int = 1, model: str = "none") -> None:
        self.folder, self.slots, self.model = folder, slots, model
        self.port = 0
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Up and answering when this returns; on a port that it chose itself, and keeps."""
        own = {
            "ATUNNER_DATA": str(self.folder),
            "ATUNNER_CACHE": str(self.folder / "cache"),
            "ATUNNER_MODEL": self.model,
        }
        argv = [sys.executable, "-m", "atunner.cli.app", "serve", "--port", str(self.port), "--slots", str(self.slots)]
        entry = Path(sys.executable).with_name("atunner")
        argv = [str(entry), *argv[3:]] if entry.exists() else argv
        self.process = subprocess.Popen(
            argv, env={**os.environ, **own}, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert "http://" in line, f"the server ended by itself: {line}"
        self.port = int(line.split()[2].rpartition(":")[2])
        until(self._answers)

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def _answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, "the server ended by itself"
        try:
            return httpx.get(f"{self.url}/readyz").status_code == 200
        except httpx.TransportError:
            return False

    def terminate(self) -> None:
        """SIGTERM, as an operator would; gone when this returns."""
        assert self.process is not None
        self.process.terminate()
        self.process.communicate(timeout=WAIT_S)

    def close(self) -> None:
        """Whatever became of it, nothing stays behind."""
        if self.process is not None:
            end(self.process)


class Look:
    """A page and what its console said; `picture` keeps what it looks like."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.errors: list[str] = []
        self.offline = False
        page.on("console", lambda message: self._heard(message.type, message.text))
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    def _heard(self, kind: str, text: str) -> None:
        # What a stopped server does not answer is logged; nothing else is let pass.
        unanswered = self.offline and ("net::ERR_" in text or "Failed to fetch" in text)
        if kind in ("error", "warning") and not unanswered:
            self.errors.append(text)

    def picture(self, name: str, whole: bool = False) -> None:
        PICTURES.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=str(PICTURES / f"{name}.png"), full_page=whole)

    def drawn(self) -> None:
        """Wait for the plots."""
        self.page.wait_for_selector("[data-plot].waiting", state="detached")
        assert self.page.locator("[data-plot].failed").count() == 0


Opener = Callable[..., AbstractContextManager[Look]]
