# What a person runs here. All is made in .venv, .venvs and build/, and used again; my-notebooks/ is the person's own.
#   make demo    install, run the first tutorial headless, show its runs          make test    everything that CI runs
#   make lab     open the tutorial in JupyterLab                                  make check   lint, types and the fast tests
#   make bench   the speed table                                                  make proof   demo, kill tests and speed on one page
#   make pictures   what all views look like

VENV := .venv
BENCH_VENV := .venvs/bench
PY := $(VENV)/bin/python
# What the front end is built from: newer files build and install it again.
FRONT := $(shell find labextension \( -name node_modules -o -name lib -o -name tests -o -name dev \) -prune -o -type f -print)
PIP_INSTALL := -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
FAST := not slow and not kill and not browser and not ssh and not notebook

# Quiet about frozen modules in kernels; the tutorials are not debugged.
export PYDEVD_DISABLE_FILE_VALIDATION := 1
# Without compiled files every start of a program would compile amlnb anew, which an installed one never does.
unexport PYTHONDONTWRITEBYTECODE

.NOTPARALLEL:
.PHONY: help demo lab test check bench proof pictures coverage pins lint types clean

help:
	@sed -n '2,5s/^# *//p' Makefile

$(PY):
	@python=$$(.ci/python) && echo "Making $(VENV) with $$python" && "$$python" -m venv $(VENV)

# One stamp for each set of packages; newer pins or requirements install again.
$(VENV)/.demo: $(PY) pyproject.toml constraints.txt $(FRONT)
	@echo "Installing amlnb and what its tutorials use (the first time takes about two minutes)"
	@$(PY) $(PIP_INSTALL) --editable '.[demo]'
	@touch $@

$(VENV)/.test: $(PY) pyproject.toml constraints.txt $(FRONT)
	@echo "Installing amlnb and what its tests use (the first time takes about a minute)"
	@$(PY) $(PIP_INSTALL) --editable '.[test]'
	@touch $@ $(VENV)/.demo

# An environment of its own: the trackers that we are compared with want other versions of what we use. Without them the
# table has only our rows.
$(BENCH_VENV)/.bench: pyproject.toml constraints.txt $(FRONT)
	@python=$$(.ci/python) && "$$python" -m venv $(BENCH_VENV)
	@echo "Installing amlnb and what the benchmarks use (the first time takes some minutes)"
	@$(BENCH_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[bench,demo]' || \
		{ echo "MLflow and trackio could not be installed: their rows are skipped"; \
		  $(BENCH_VENV)/bin/python $(PIP_INSTALL) --editable '.[demo]'; }
	@touch $@

demo: $(VENV)/.demo
	@.ci/demo $(VENV)

lab: $(VENV)/.demo
	@.ci/lab $(VENV)

lint: $(VENV)/.test
	$(VENV)/bin/ruff check .

types: $(VENV)/.test
	$(VENV)/bin/mypy

check: lint types
	$(PY) -m pytest -m '$(FAST)'

test: $(VENV)/.test
	@.ci/system-packages git:git sshd:openssh-server ssh:openssh-client rsync:rsync chromium:chromium \
		dockerd:docker.io podman:podman catatonit:catatonit
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy
	$(PY) -m pytest

bench: $(BENCH_VENV)/.bench
	$(BENCH_VENV)/bin/python -m benchmarks

proof: $(VENV)/.test $(BENCH_VENV)/.bench
	@.ci/proof $(VENV) $(BENCH_VENV)

# Pictures of all views, in both themes: build/pictures.
pictures: $(VENV)/.test
	@mkdir -p build/pictures
	TEST_PICTURES=$(CURDIR)/build/pictures $(PY) -m pytest -q tests/browser

# The newest of everything that the oldest Python 3.11 at hand can have: some packages ask for a later 3.11 than Debian's.
pins:
	@.ci/pins

# The page that tells which names of Azure ML's SDK v1 are served.
coverage: $(VENV)/.test
	$(VENV)/bin/python tests/v1/coverage.py

clean:
	rm -rf $(VENV) .venvs build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
