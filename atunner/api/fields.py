"""What a page's form sends: its known fields, with what they are when left out."""

from collections.abc import Mapping
from urllib.parse import parse_qsl

from fastapi import Request

from atunner.core.errors import UserError

MOST = 60


async def fields(request: Request, known: Mapping[str, str]) -> dict[str, str]:
    """The fields of a form that was sent.

    Raises:
        UserError: it has more of them than any form of ours.
    """
    text = (await request.body()).decode(errors="replace")
    try:
        given = parse_qsl(text, keep_blank_values=True, max_num_fields=MOST)
    except ValueError as error:
        raise UserError(f"The form has at most {MOST} fields.") from error
    return {**known, **{name: value for name, value in given if name in known}}
