# One command each, on a fresh Linux or macOS machine with Python >= 3.11. Everything is installed into .venv.
#
#   make demo     transcribe the sample session with the shipped model
#   make test     run all tests            (make test ARGS="-k plan")
#   make lint     ruff and mypy
#   make wheel    build dist/*.whl and check that it holds what ships, in 95 MB

PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
BIN := .venv/bin
INSTALLED := .venv/installed
MAX_WHEEL_BYTES := 95000000

.PHONY: demo test lint wheel clean

demo: $(INSTALLED)
	$(BIN)/transcriber demo

test: $(INSTALLED)
	$(BIN)/python -m pytest $(ARGS)

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

wheel: $(INSTALLED)
	rm -f dist/*.whl
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist .
	@for file in models/whisper-base-int8/model.bin models/minilm-l6-v2-int8/model.onnx recordings/sample-session/; do \
		$(BIN)/python -m zipfile -l dist/*.whl | grep "transcriber/shipped/$$file" >/dev/null || { echo "$$file is missing"; exit 1; }; done
	@size=$$(cat dist/*.whl | wc -c); echo "$$(ls dist/*.whl): $$size bytes"; test $$size -le $(MAX_WHEEL_BYTES)

$(INSTALLED): pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed: set it with make PYTHON=/path/to/python"; exit 1; }
	$(PYTHON) -m venv .venv || { echo "On Debian and Ubuntu: sudo apt install python3-venv"; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

clean:
	rm -rf .venv dist build
