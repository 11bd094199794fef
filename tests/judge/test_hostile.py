import os
from pathlib import Path

import pytest

from atunner.core.errors import UserError
from atunner.domains.kernels.selftest.hostile import ATTACKS, Outcome, attacked, chains
from atunner.tools.sandbox import LEVELS, Chain, Layer, demand, strongest


@pytest.fixture(scope="module")
def outcomes(cache: Path) -> list[Outcome]:
    return list(attacked(cache))


def test_no_attack_succeeds_under_a_layer_meant_for_it(outcomes: list[Outcome]) -> None:
    assert [o for o in outcomes if o.result == "SUCCEEDED"] == []


def test_every_attack_ran_under_every_chain(outcomes: list[Outcome], cache: Path) -> None:
    assert len(outcomes) == len(ATTACKS) * len(chains(cache))


def test_without_layers_the_attacks_are_real(outcomes: list[Outcome]) -> None:
    """Else "stopped" would mean nothing."""
    absent = {o.attack for o in outcomes if o.result == "layer absent" and len(o.chain) <= 2}

    assert {"file_escape", "tcp", "udp", "memory", "fill_disk"} <= absent


def test_the_strongest_chain_stops_everything(outcomes: list[Outcome], cache: Path) -> None:
    whole = strongest(cache)
    if set(whole.layers) != set(Layer) and os.geteuid() == 0:
        pytest.skip(f"this machine has only {', '.join(whole.names)}")

    assert {o.result for o in outcomes if o.chain == Chain(layers=whole.layers).names} == {"stopped"}


def test_a_policy_refuses_a_weaker_machine() -> None:
    bare = Chain(layers=(Layer.RLIMITS,))

    demand(bare, "rlimits")
    assert bare.level == "rlimits"
    with pytest.raises(UserError, match="lacks landlock, seccomp"):
        demand(bare, "landlock")
    with pytest.raises(UserError, match="No sandbox level named"):
        demand(bare, "landlok")
    assert list(LEVELS) == ["none", "rlimits", "landlock", "namespaces"]
