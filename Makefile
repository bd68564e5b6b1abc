# Everything sets itself up: a virtual environment, pinned packages, system libraries where they are missing.
PYTHON ?= python3
BIN := .venv/bin
SCISPACY := .venv-scispacy/bin

.PHONY: demo test test-fast test-long goldens lint bench docs docs-recipes clean

demo: .venv/ready
	$(BIN)/ecgvec demo -o demo-out

test: .venv/ready .venv-scispacy/ready lint
	sh tools/system_packages.sh chromium librsvg2-bin poppler-utils
	$(BIN)/pytest -n 2 -m "not long"
	$(SCISPACY)/python -m pytest tests/test_svg.py tests/planning/test_make.py tests/record/test_read.py \
		tests/keywords/test_abbreviations.py tests/keywords/test_model.py  # the core on NumPy 1.26, scispaCy itself

# While you work: all but what tests/slow.txt names, in under three minutes, and no lint.
test-fast: .venv/ready
	$(BIN)/pytest -n 2 -m "not long and not slow"

test-long: .venv/ready
	sh tools/system_packages.sh chromium librsvg2-bin poppler-utils
	$(BIN)/pytest -n 2

# The pages of tests/golden drawn anew, on purpose: look at each that has changed before you commit it.
goldens: .venv/ready
	$(BIN)/pytest tests/golden --remake-goldens
	git status --short tests/golden

lint: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

.venv/ready: pyproject.toml constraints/main.txt
	sh tools/system_packages.sh libcairo2
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -q -c constraints/main.txt -e ".[nlp,ray,train,dev]"
	touch $@

# scispaCy pins NumPy below 2, and with that an older OpenCV: an environment of its own.
.venv-scispacy/ready: pyproject.toml constraints/scispacy.txt
	sh tools/system_packages.sh libcairo2
	$(PYTHON) -m venv .venv-scispacy
	$(SCISPACY)/python -m pip install -q -c constraints/scispacy.txt -e ".[scispacy]" pytest
	touch $@

# What pages cost, as ratios to bare calls measured in the same run: see benchmarks/README.md.
bench: .venv/ready
	$(BIN)/python -m benchmarks.bench_pages --stages
	$(BIN)/python -m benchmarks.bench_warp

# The table of help, the pages that are made (flags, parts, cookbook, recipes), and then: does every link and command in all pages work?
docs: .venv/ready
	$(BIN)/python tools/make_key_table.py
	$(BIN)/python tools/make_flag_docs.py
	$(BIN)/python tools/make_part_docs.py
	$(BIN)/python tools/make_cookbook.py
	$(BIN)/python tools/make_recipe_docs.py --page-only
	$(BIN)/python -m tools.check_docs

# docs/recipes.md and its pictures, from templates/recipes; those of README.md.
docs-recipes: .venv/ready
	$(BIN)/python tools/make_recipe_docs.py
	$(BIN)/python tools/make_readme_pictures.py

clean:
	rm -rf .venv .venv-scispacy demo-out build dist *.egg-info
