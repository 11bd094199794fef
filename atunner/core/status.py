"""What became of a candidate, and where a figure comes from."""

from enum import StrEnum


class Status(StrEnum):
    """The outcome of a trial. Only OK may be ranked."""

    OK = "ok"
    REJECTED = "rejected"
    NOT_BUILT = "not_built"
    WRONG = "wrong"
    CRASHED = "crashed"
    TIMED_OUT = "timed_out"
    NOT_VERIFIED = "not_verified"
    NOT_MEASURED = "not_measured"


class Provenance(StrEnum):
    """Where a figure comes from; figures of two provenances are never ranked in one list."""

    MEASURED = "measured"
    PREDICTED = "predicted"
    SIMULATED = "simulated"
