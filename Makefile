# Every target does the set-up that it needs.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: help setup demo test test-first-day test-kills lint hooks clean

help:
	@echo "make setup  the Python environment and the Pulumi engine"
	@echo "make demo   train, serve and tear down on the emulated account, guided; a minute or two"
	@echo "make test   the tests, on the real Pulumi engine and the emulated account"
	@echo "make test-first-day  docs/first-day.md, command by command; some ten minutes"
	@echo "make test-kills  the engine killed at 56 moments, and what comes of it; half an hour"
	@echo "make lint   ruff, mypy and who may import whom"
	@echo "make hooks  the checks of make lint before each commit, by pre-commit"
	@echo "make clean  stop the local cloud and remove what was made in this folder"

setup:
	@$(PYTHON) shoestring/setup/bootstrap.py

demo: setup
	@$(BIN)/shoestring demo

# What takes many minutes by itself has its own target.
test: setup
	@$(BIN)/python -m pytest -n 2 --dist loadfile --ignore tests/acceptance/test_kills.py --ignore tests/acceptance/test_first_day.py

test-first-day: setup
	@$(BIN)/python -m pytest tests/acceptance/test_first_day.py

test-kills: setup
	@KILL_CYCLES=8 $(BIN)/python -m pytest -s tests/acceptance/test_kills.py

lint: setup
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/lint-imports

hooks: setup
	@$(BIN)/pre-commit install

clean:
	@if [ -x $(BIN)/shoestring ]; then $(BIN)/shoestring cloud down; fi
	@rm -rf .venv .shoestring .pytest_cache .mypy_cache .ruff_cache .hypothesis
