# A thin face over run.py, which also works where make does not.
PYTHON ?= python3

.PHONY: help setup demo test quick lint docs bench screenshots lock
.DEFAULT_GOAL := help

help:  ## explain the commands
	@$(PYTHON) run.py help

setup demo test quick lint docs bench screenshots lock:
	@$(PYTHON) run.py $@ $(ARGS)
