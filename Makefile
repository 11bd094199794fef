PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
CODE := atunner tests benchmarks
RUN_AS_ROOT := $(shell [ "$$(id -u)" = 0 ] && command -v apt-get)

.PHONY: demo setup check format models test nightly clean

demo: setup
	$(BIN)/atunner optimize --operator conv2d --input-shape 1,3,224,224 --target-gpu A100

setup: $(VENV)/.installed

$(VENV)/.installed: pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing ATunner into $(VENV) (once; a few minutes)"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[cuda,opencl,dev]'
	@touch $@

check: setup
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/ruff check $(CODE)
	$(BIN)/mypy
	$(BIN)/lint-imports

format: setup
	$(BIN)/ruff format $(CODE)
	$(BIN)/ruff check --fix $(CODE)

# The small model that runs end to end in the tests; where it cannot be fetched they skip, unless ATUNNER_REQUIRE says not.
models: setup
	@$(BIN)/python -c "import xllamacpp" 2>/dev/null || $(BIN)/python -m pip install --quiet \
		--disable-pip-version-check --only-binary=:all: 'xllamacpp>=0.2' || echo "xllamacpp could not be installed"
	@$(BIN)/python tests/models/fetch.py $(VENV)/models || echo "the small model could not be fetched"

# Tests install what they need where they may (apt, as root); elsewhere they skip and say why.
test: setup models
	@if [ -n "$(RUN_AS_ROOT)" ] && [ -z "$$ATUNNER_REQUIRE" ]; then \
		(apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
		clang-14 libclang-rt-14-dev clang-19 libclang-rt-19-dev libomp-19-dev llvm-19 llvm-14 gdb binutils postgresql bubblewrap hipcc chromium prometheus) >/dev/null 2>&1 \
		|| echo "apt could not install everything; what is missing is skipped below"; fi
	$(BIN)/pytest -n 2 -m "not slow" --dist worksteal

nightly: setup models
	ATUNNER_EXAMPLES=new $(BIN)/pytest -n 2

clean:
	rm -rf $(VENV) build dist *.egg-info
