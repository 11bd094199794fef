"""The checker's report, in words, with file and line."""

from collections.abc import Callable
from pathlib import Path

from atunner.core.errors import CandidateError, Crashed, ToolError, Wrong
from atunner.domains.kernels.cpu_check.building import Checked
from atunner.tools.process import run

Report = dict[str, list[str]]


def problem(checked: Checked, report: Path) -> CandidateError:
    """The error that a report tells of.

    Raises:
        ToolError: the checker itself could not go on.
    """
    if not report.is_file() or report.stat().st_size > 1 << 16:
        return Crashed(f"the check of {checked.name} ended without a report.")
    told: Report = {}
    for line in report.read_text(errors="replace").splitlines():
        key, _, value = line.partition(" ")
        told.setdefault(key, []).append(value)
    kind = told.get("kind", [""])[0]
    if kind == "failed":
        raise ToolError(f"the CPU check could not run: {_of(told, 'text')}.")
    if kind not in _SENTENCES:
        return Crashed(f"the check of {checked.name} ended without a report.")
    place = _place(checked, told)
    error = Crashed if kind in ("trap", "stack") else Wrong
    return error(f"{place}{_SENTENCES[kind](told, checked)}")


def _place(checked: Checked, told: Report) -> str:
    if "line" in told:
        return f"{checked.name}:{told['line'][0]}: "
    line = _line(checked, [*told.get("pc", []), *_callers(told.get("at", []))])
    return f"{checked.name}:{line}: " if line else f"{checked.name}: "


def _callers(addresses: list[str]) -> list[str]:
    """A return address is one past the call."""
    return [f"{int(a, 16) - 1:x}" for a in addresses if int(a, 16) > 1]


def _line(checked: Checked, addresses: list[str]) -> int | None:
    """The innermost line of the candidate's source among frames, inlined ones included."""
    if not addresses:
        return None
    done = run("addr2line", "-i", "-e", str(checked.executable), *addresses, timeout_s=60)
    for line in done.output.splitlines():
        path, _, rest = line.partition(":")
        number = rest.split()[0] if rest.split() else ""
        if Path(path).name == Path(checked.name).name and number.isdigit() and int(number):
            return int(number)
    return None


def _of(told: Report, key: str, default: str = "") -> str:
    return told.get(key, [default])[0]


def _who(told: Report, key: str = "who") -> str:
    if key not in told:
        return "a thread of another block"
    thread, _, block = told[key][0].partition(" ")
    return f"thread {thread} of block {block}" if key == "who" else f"thread {thread}"


def _where(told: Report) -> str:
    size, offset = int(_of(told, "size", "0")), int(_of(told, "offset", "0"))
    if offset < 0:
        place = f"{-offset} bytes before the start of"
    elif offset >= size:
        place = f"{offset - size} bytes past the end of"
    else:
        place = f"at byte {offset} of"
    return f"{place} {_of(told, 'where')} ({size} bytes)"


def _outside(told: Report, checked: Checked) -> str:
    return f"out of bounds: {_of(told, 'access')} of {_of(told, 'bytes')} bytes {_where(told)} by {_who(told)}."


def _bounds(told: Report, checked: Checked) -> str:
    return f"out of bounds: index {_of(told, 'index')} of an array of type {_of(told, 'type')} by {_who(told)}."


def _fault(told: Report, checked: Checked) -> str:
    if "stack_overflow" in told:
        return f"the local variables of {_who(told)} need more than 60 KiB."
    if "readonly" in told:
        return f"write to {_of(told, 'where')}, which is an input, by {_who(told)}."
    if "where" in told:
        return f"out of bounds: access {_where(told)} by {_who(told)}."
    return f"access to address 0x{_of(told, 'address')}, which is in no buffer or misaligned, by {_who(told)}."


def _race(told: Report, checked: Checked) -> str:
    line = _line(checked, _callers(told.get("earlier", [])))
    missing = "with no barrier between" if _of(told, "scope") == "block" else "and blocks run in any order"
    other = _who(told, "other")
    earlier = f"{checked.name}:{line}" if line else checked.name
    return (
        f"race: {_who(told)} {_of(told, 'now')} what {other} {_of(told, 'before')} at {earlier}, {missing}; "
        f"{_where(told)}."
    )


def _in_flight(told: Report, checked: Checked) -> str:
    line = _line(checked, _callers(told.get("earlier", [])))
    copy = f"the asynchronous copy of {checked.name}:{line}"
    return f"{_who(told)} uses {_where(told)} while {copy} has not been waited for."


def _barrier(told: Report, checked: Checked) -> str:
    return (
        f"divergent barrier: {_who(told)} waits here while {_who(told, 'other')} waits at "
        f"{checked.name}:{_of(told, 'other_line')}."
    )


def _warp(told: Report, checked: Checked) -> str:
    return (
        f"divergent warp: {_who(told)} is here with mask 0x{_of(told, 'mask')} while {_who(told, 'other')} is at "
        f"{checked.name}:{_of(told, 'other_line')} with mask 0x{_of(told, 'other_mask')}."
    )


def _deadlock(told: Report, checked: Checked) -> str:
    text = f"divergent barrier: {_who(told)} waits here for lanes of mask 0x{_of(told, 'mask')} that never come"
    if "other_line" in told and told["other_line"] != told.get("line"):
        text += f"; {_of(told, 'at_barrier')} threads wait at {checked.name}:{_of(told, 'other_line')}"
    return f"{text}; {_of(told, 'exited')} threads have exited."


_SENTENCES: dict[str, Callable[[Report, Checked], str]] = {
    "outside": _outside,
    "bounds": _bounds,
    "fault": _fault,
    "race": _race,
    "barrier": _barrier,
    "warp": _warp,
    "deadlock": _deadlock,
    "wild": lambda t, c: f"{_of(t, 'access')} of address 0x{_of(t, 'address')}, which is in no buffer, by {_who(t)}.",
    "readonly": lambda t, c: f"write to {_of(t, 'where')}, which is an input, by {_who(t)}.",
    "uninitialised": lambda t, c: f"uninitialised: {_who(t)} reads {_where(t)}, which nothing has written.",
    "in_flight": _in_flight,
    "unwritten": lambda t, c: (
        f"{_of(t, 'missing')} of {_of(t, 'elements')} elements of output '{_of(t, 'where')}' were never written, "
        f"the first is {_of(t, 'first')}."
    ),
    "misaligned": lambda t, c: (
        f"misaligned: an access as {_of(t, 'type')} needs {_of(t, 'alignment')}-byte alignment, the address is "
        f"{_of(t, 'excess')} past it, by {_who(t)}."
    ),
    "null": lambda t, c: f"null pointer as {_of(t, 'type')} by {_who(t)}.",
    "division": lambda t, c: f"integer division by zero or overflow by {_who(t)}.",
    "mask": lambda t, c: f"lane {_of(t, 'lane')} is not in its own mask 0x{_of(t, 'mask')}, {_who(t)}.",
    "inactive": lambda t, c: f"inactive lane: {_who(t)} shuffles from lane {_of(t, 'lane')}, which does not take part.",
    "guard": lambda t, c: f"the bytes around {_of(t, 'where')} were overwritten: an access out of bounds.",
    "trap": lambda t, c: f"{_of(t, 'text', 'illegal instruction')} by {_who(t)}.",
    "stack": lambda t, c: f"the local variables of {_who(t)} need more than 60 KiB.",
}
