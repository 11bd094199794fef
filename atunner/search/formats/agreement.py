"""Whether arguments as they are described can be those that the source declares."""

import re
from collections.abc import Sequence

from atunner.core.errors import UserError
from atunner.operators.user import Argument
from atunner.search.formats.source import Declared


def agreeing(arguments: Sequence[Argument], declared: Sequence[Declared], where: str) -> tuple[Argument, ...]:
    """The arguments, if none is a number where the source has a pointer, or of another element type.

    Signs do not matter, nor does what the source declares as a type that is not known here.

    Raises:
        UserError: says what the source has.
    """
    own = {d.name: d for d in declared if d.name and d.dtype}
    for one in arguments:
        if one.name in own and (why := _against(one, own[one.name])):
            raise UserError(f"{where}: the argument {one.name} {why}.")
    return tuple(arguments)


def _against(one: Argument, own: Declared) -> str:
    """What the source has instead; "" where both agree."""
    if own.pointer and one.role == "scalar":
        return f"is a pointer in the source, and not one number; write {own.dtype}[n]"
    if not own.pointer and one.role != "scalar":
        return f"is one number in the source, and no array; write {own.dtype} = EXPRESSION"
    return "" if _kind(one.dtype) == _kind(own.dtype) else f"is {own.dtype} in the source, not {one.dtype}"


def _kind(dtype: str) -> str:
    return "int8" if dtype == "bool" else re.sub(r"^uint", "int", dtype)
