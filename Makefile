# Two commands for newcomers: `make demo` and `make test`.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.PHONY: demo test check format clean

$(READY): setup.py constraints.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; (3, 9) <= v <= (3, 11) or sys.exit("mask2cad_tf needs Python 3.9, 3.10 or 3.11 (TensorFlow 2.15); %s is Python %d.%d. Say which one to use: make PYTHON=python3.11 ..." % ((sys.executable,) + v))'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt 'setuptools<81' wheel
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

demo: $(READY)  ## learns three real photos by heart, shows the CADs in them
	$(BIN)/python -m mask2cad_tf.demo --output_dir=runs/demo

test: $(READY)  ## the whole suite
	$(BIN)/python -m pytest -n 2 --dist=loadfile

check: $(READY)  ## style
	$(BIN)/ruff check mask2cad_tf tfrecords_tools tests setup.py
	$(BIN)/ruff format --check mask2cad_tf tfrecords_tools tests setup.py

format: $(READY)
	$(BIN)/ruff check --fix mask2cad_tf tfrecords_tools tests setup.py
	$(BIN)/ruff format mask2cad_tf tfrecords_tools tests setup.py

clean:
	rm -rf .venv build dist *.egg-info
