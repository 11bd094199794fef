"""Text files that a user gives."""

from pathlib import Path

from atunner.core.errors import UserError


def text_of(path: Path, what: str = "") -> str:
    """The text of a file. what: what it is called to the user; left out: its path.

    Raises:
        UserError: it cannot be read, or is not text in UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise UserError(f"Cannot read {what or path}: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise UserError(f"Cannot read {what or path}: it is not text in UTF-8.") from error
