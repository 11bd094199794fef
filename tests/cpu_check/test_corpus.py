"""Every correct kernel of the corpus passes in every order, and every planted bug is found at its line."""

import re
from pathlib import Path

import numpy as np
import pytest
from cpu_check.cases import Case, cases

from atunner.core.errors import CandidateError
from atunner.domains.kernels.cpu_check import Mode, Order, build, run

CORRECT = [case for file in ("basics.cu", "warp.cu", "types.cu") for case in cases(file)]
WRONG = cases("wrong.cu")
ORDERS = (Order(), Order("reverse"), Order.shuffled(11))


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("case", CORRECT, ids=lambda case: case.name)
def test_a_correct_kernel_passes_in_every_order(case: Case, mode: Mode, tmp_path: Path, cache: Path) -> None:
    checked = build(case.source, case.program, [case.instance], mode, tmp_path, cache)

    for order in ORDERS:
        found = run(checked, 0, case.inputs, order)
        for name, expected in case.outputs().items():
            np.testing.assert_allclose(found[name], expected.reshape(-1), rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("case", WRONG, ids=lambda case: case.name)
def test_a_planted_bug_is_found_at_its_line(case: Case, tmp_path: Path, cache: Path) -> None:
    with pytest.raises(CandidateError) as caught:
        run(build(case.source, case.program, [case.instance], Mode.CHECKED, tmp_path, cache), 0, case.inputs)

    message = str(caught.value)
    assert re.search(case.expected, message), message
    if lines := case.lines("BUG") + case.lines("OR"):
        assert re.match(rf"kernel\.cu:({'|'.join(map(str, lines))}): ", message), message
    if earlier := case.lines("EARLIER"):
        assert re.search(rf"kernel\.cu:({'|'.join(map(str, earlier))})\b", message.split(": ", 1)[1]), message


def test_the_corpus_is_as_large_as_promised() -> None:
    names = [case.name for case in (*CORRECT, *WRONG)]

    assert len(set(names)) == len(names) >= 60
    assert len(WRONG) >= 25
