import itertools

from reports.records import candidate, predicted

from atunner.core.record import RunRecord
from atunner.core.trial import Screening
from atunner.reports import palette, plots
from atunner.reports.tuned import effects, family


def tuned(tiles: tuple[int, ...] = (4, 8, 16, 32)) -> RunRecord:
    """TILE decides nearly all, UNROLL a little, FLAG nothing; SAME never moves."""
    screenings = []
    for tile, unroll, flag in itertools.product(tiles, (1, 2, 4), (False, True)):
        params = {"TILE": tile, "UNROLL": unroll, "FLAG": flag, "SAME": 1}
        one = candidate(tile).model_copy(update={"params": params})
        screenings.append(Screening(candidate=one, score=100.0 / tile * (1 + 0.1 * unroll)))
    return predicted().model_copy(update={"screenings": (*screenings, Screening(candidate=candidate(16), score=None))})


def test_parameters_are_ordered_by_what_they_explain() -> None:
    found = family(tuned())
    assert found is not None
    shares = {e.name: e.share for e in effects(found)}

    assert found.name == "shared_tile"
    assert found.names == ("TILE", "UNROLL", "FLAG")
    assert list(shares) == ["TILE", "UNROLL", "FLAG"]
    assert shares["TILE"] > 0.9
    assert shares["UNROLL"] < 0.1
    assert shares["FLAG"] == 0.0


def test_points_are_best_first_and_values_in_order() -> None:
    found = family(tuned())
    assert found is not None

    assert found.points[0].params == {"TILE": 32, "UNROLL": 1, "FLAG": False, "SAME": 1}
    assert found.values("TILE") == (4, 8, 16, 32)
    assert found.values("FLAG") == (False, True)


def test_few_points_say_nothing() -> None:
    assert family(predicted()) is None
    assert family(tuned((4,))) is None
    assert plots.drawn(predicted(), "importance", palette.PRINTED) is None


def test_both_plots_are_drawn_and_say_what_is_seen() -> None:
    for name, words in (("importance", "TILE matters most"), ("parallel", "one of 24 configurations, the 2 best")):
        drawn = plots.drawn(tuned(), name, palette.SCREEN)
        assert drawn is not None
        assert words in drawn[1]
        assert "predicted for A100 (sm_80)" in drawn[1]
        assert "#0101" not in palette.themed(plots.svg(drawn[0], name), name)
