"""Temporary files in one folder of a process, so that nothing of it stays: also of what was killed.

Whoever made a folder removes it. What was killed cannot: whoever begins next removes that.
"""

import atexit
import fcntl
import os
import shutil
import tempfile
from pathlib import Path

PREFIX, HELD, GIVEN = "atunner-", "held", "given"


class Folder:
    """A new folder for temporary files, known as left over once this process has ended."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix=PREFIX))
        self.path.chmod(0o711)  # programs that are confined as another user work below it
        (self.path / GIVEN).touch()
        self._lock = os.open(self.path / "new", os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        (self.path / "new").rename(self.path / HELD)  # locked before anybody looks at it; the kernel ends the lock
        self._owner = os.getpid()

    def remove(self) -> None:
        """Remove it with all that is in it; a second time, or in a fork of whoever made it, nothing happens."""
        if self._owner == os.getpid():
            self._owner = 0
            shutil.rmtree(self.path, ignore_errors=True)
            os.close(self._lock)


def begin() -> None:
    """Give this process, and all that it starts, a folder of its own for temporary files until it ends.

    Call it before anything else: what is loaded later cleans up earlier, and some of that lies in the folder.
    Where there is no room for one nothing happens: who needs temporary files will say so.
    """
    try:
        clear(Path(tempfile.gettempdir()))
        folder = Folder()
    except OSError:
        return
    atexit.register(folder.remove)
    use(folder.path)


def use(folder: Path) -> None:
    """Let this process and what it starts make their temporary files in a `Folder`."""
    tempfile.tempdir = str(folder)
    os.environ["TMPDIR"] = str(folder)  # noqa: TID251 - told to those we start, not read


def shared() -> Path:
    """The folder for temporary files that all processes of this machine have, whatever this one was given."""
    here = Path(tempfile.gettempdir())
    given = [folder for folder in (here, *here.parents) if (folder / GIVEN).exists()]
    return given[-1].parent if given else here


def clear(place: Path) -> None:
    """Remove the folders of processes that are gone."""
    for folder in place.glob(f"{PREFIX}*"):
        if _left(folder):
            shutil.rmtree(folder, ignore_errors=True)


def _left(folder: Path) -> bool:
    """Whether it is a folder of ours that nobody holds any more."""
    try:
        with (folder / HELD).open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return folder.lstat().st_uid == os.geteuid()
    except OSError:
        return False
