"""A model writes one function; the tool puts it in its place, the judge judges it, the search finds its number."""

import json
from pathlib import Path

import pytest
from ir_programs import PRODUCT

from atunner.cli.app import run

FUNCTION = """static void multiply(void)
{
    for (int i = 0; i < ROWS; i++)
        for (int j0 = 0; j0 < COLS; j0 += BLOCK)
            for (int j = j0; j < (j0 + BLOCK < COLS ? j0 + BLOCK : COLS); j++) {
                double sum = 0;
                for (int k = 0; k < DEPTH; k++)
                    sum += a[i][k] * b[k][j];
                c[i][j] += sum;
            }
}
"""
ANSWER = {"name": "blocked", "summary": "columns in blocks", "source": FUNCTION, "parameters": {"BLOCK": [32, 64]}}


@pytest.mark.slow
def test_a_scripted_models_function_is_spliced_judged_and_its_number_searched(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ATUNNER_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("ATUNNER_CACHE", str(cache))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "product.c").write_text(PRODUCT, encoding="utf-8")
    (tmp_path / "script.json").write_text(json.dumps({"coder": [ANSWER]}), encoding="utf-8")

    words = ["tune", "ir", "product.c", "--clang", "clang-19", "--model", "scripted:script.json"]
    assert run([*words, "--evals", "6", "--iterations", "1", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    written = [t for t in record["trials"] if t["candidate"]["family"].startswith("blocked")]

    assert {t["candidate"]["params"]["BLOCK"] for t in written} == {32, 64}
    assert all(t["status"] == "ok" for t in written), [t["feedback"] for t in written]
    assert all("static void fill" in t["candidate"]["files"]["product.c"] for t in written)
