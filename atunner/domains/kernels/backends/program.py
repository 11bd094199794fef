"""The launches that a candidate brings with its sources, whatever its language."""

from atunner.core.candidate import Candidate
from atunner.core.errors import NotBuilt
from atunner.core.program import PROGRAM_FILE, Program


def program_of(candidate: Candidate) -> Program:
    """The launches that a candidate brings in its program.json. Raises NotBuilt."""
    if PROGRAM_FILE not in candidate.files:
        raise NotBuilt(f"The candidate has no {PROGRAM_FILE}.")
    try:
        made = Program.model_validate_json(candidate.files[PROGRAM_FILE])
    except ValueError as error:
        raise NotBuilt(f"{PROGRAM_FILE} is not a program: {str(error).splitlines()[0]}.") from error
    if made.source not in candidate.files or not made.launches:
        raise NotBuilt(f"{PROGRAM_FILE} names {made.source!r} and {len(made.launches)} launches; both must be there.")
    return made
