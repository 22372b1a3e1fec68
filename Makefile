# `make demo` and `make test` need nothing but Python 3.10 or newer; both are quick the second time.

PYTHON ?= python3
# Installed first. Plain `pip install -r requirements.txt` would do as well; another build goes in here, for
# example one for your CUDA version.
TORCH ?= torch==2.13.0
# More flags for the training of `make model`; as they are, it starts from nothing.
TRAIN ?=

VENV := .venv
VENV_PYTHON := $(VENV)/bin/python
RUN_READY := $(VENV)/.run-ready
DEV_READY := $(VENV)/.dev-ready

.DEFAULT_GOAL := help
.PHONY: help demo test check browser model

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-6s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(RUN_READY) ## set up, then sort the sample videos into demo_output/
	@rm -rf demo_output
	@$(VENV_PYTHON) filter_videos_by_sync_score.py --input_dir samples --output_dir demo_output --max_workers 2 --rescan; \
	code=$$?; echo; \
	if [ $$code -ne 1 ]; then echo "make demo: exit code $$code where 1 was expected" >&2; exit 1; fi; \
	echo "Exit code 1, as it should be: among the samples are a damaged video and one without sound."; \
	echo "Open demo_output/report.html in a browser, and look into demo_output/good_quality and demo_output/poor_quality."

test: $(DEV_READY) browser ## set up, then run every test
	@$(VENV_PYTHON) -m pytest -rs

check: $(DEV_READY) browser ## formatter, linter, type checker, and the tests that take less than three seconds
	@$(VENV_PYTHON) -m ruff format --check .
	@$(VENV_PYTHON) -m ruff check .
	@$(VENV_PYTHON) -m mypy
	@for platform in darwin win32; do \
		$(VENV_PYTHON) -m mypy --platform $$platform --no-warn-unreachable --cache-dir .mypy_cache/$$platform || exit 1; done
	@$(VENV_PYTHON) -m pytest -q -m "not slow"

# The report page is tested in Chromium. Without it, and without the right to install it, those tests are skipped.
browser:
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || \
		{ [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && echo "Installing Chromium for the tests of the report page." && \
		apt-get update -qq >/dev/null 2>&1 && \
		DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null 2>&1; } || \
		echo "No Chromium, and none could be installed: the tests of the report page in a browser are skipped."

model: $(RUN_READY) ## from CORPUS=DIR to the embedded model, judged on CLIPS=DIR with YuNet in YUNET=DIR (hours)
	@[ -d "$(CORPUS)" ] && [ -d "$(CLIPS)" ] && [ -d "$(YUNET)" ] || \
		{ echo "name the folders: make model CORPUS=DIR CLIPS=DIR YUNET=DIR (see training/README.md)" >&2; exit 2; }
	$(VENV_PYTHON) -m training.train --corpus "$(CORPUS)" $(TRAIN) >> training/runs.log.jsonl
	cp training/runs/lite.safetensors weights/lite.safetensors
	cp training/runs/manifest.tsv training/manifest.tsv
	mv training/runs.log.jsonl training/log.jsonl
	$(VENV_PYTHON) -m training.calibrate --corpus "$(CORPUS)"
	$(VENV_PYTHON) -m training.zero --corpus "$(CORPUS)"
	$(VENV_PYTHON) -m training.odds --corpus "$(CORPUS)"
	$(VENV_PYTHON) -m training.register
	$(VENV_PYTHON) -m training.evaluate --clips "$(CLIPS)" --weights_dir "$(YUNET)" --out training/evaluation.json

$(VENV_PYTHON):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
		{ echo "Python 3.10 or newer is needed; name one with: make PYTHON=/path/to/python3.12 ..." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
		{ rm -rf $(VENV); echo "$(PYTHON) cannot make a virtual environment; on Debian: apt install python3-venv" >&2; exit 1; }

$(RUN_READY): requirements.txt | $(VENV_PYTHON)
	@echo "Installing into $(VENV): $(TORCH) and requirements.txt. The first time this takes some minutes."
	@$(VENV_PYTHON) -m pip install --quiet --disable-pip-version-check "$(TORCH)"
	@$(VENV_PYTHON) -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(DEV_READY): requirements-dev.txt $(RUN_READY)
	@$(VENV_PYTHON) -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@
