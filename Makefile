PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo setup check test nightly clean

demo: setup
	$(BIN)/atunner optimize --operator conv2d --input-shape 1,3,224,224 --target-gpu A100

setup: $(BIN)/.installed

$(BIN)/.installed: pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || python3 -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet -e '.[cuda,dev]'
	@touch $@

check: setup
	$(BIN)/ruff format --check atunner tests benchmarks
	$(BIN)/ruff check atunner tests benchmarks
	$(BIN)/mypy
	$(BIN)/lint-imports

test: setup
	$(BIN)/pytest -n 2
