# Two commands do everything: `make demo` and `make test`. Each does the set-up that it needs.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: help setup demo test lint bench clean

help:
	@echo "make demo   train, serve and tear down on an emulated account"
	@echo "make test   every test, on the real Pulumi engine and the emulated account"
	@echo "make lint   ruff and mypy"
	@echo "make bench  the benchmarks"
	@echo "make clean  stop the local cloud and remove what was made in this folder"

setup:
	@$(PYTHON) shoestring/bootstrap.py

demo: setup
	@$(BIN)/shoestring demo

test: setup
	@$(BIN)/python -m pytest -n 2 --dist loadfile

lint: setup
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

bench: setup
	@$(BIN)/python benchmarks/startup.py

clean:
	@if [ -x $(BIN)/shoestring ]; then $(BIN)/shoestring cloud down; fi
	@rm -rf .venv .shoestring .pytest_cache .mypy_cache .ruff_cache .hypothesis
