# Two commands for newcomers: `make demo` and `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
CYCLES_PYTHON ?= python3.11
NATIVE := build/mask2cad_native

.PHONY: demo test notebooks pythons check coverage format clean cycles train-lite train-quick native page docs

$(READY): setup.py constraints.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; (3, 9) <= v <= (3, 11) or sys.exit("mask2cad_tf needs Python 3.9, 3.10 or 3.11 (TensorFlow 2.15); %s is Python %d.%d. Say which one to use: make PYTHON=python3.11 ..." % ((sys.executable,) + v))'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt 'setuptools<81' wheel
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

demo: $(READY)  ## the CADs in three real photos, by the model that comes along
	$(BIN)/python -m mask2cad_tf.demo --output_dir=runs/demo

test: $(READY)  ## the whole suite
	$(BIN)/python -m pytest -n 2 --dist=loadfile --no-loadscope-reorder

notebooks: $(READY)  ## the notebooks, from top to bottom; the one that trains is not in the suite
	$(BIN)/python -m pytest -n 2 tests/colab tests/colab/train_on_your_cads_check.py

pythons:  ## the suite on Python 3.9, 3.10 and 3.11, an environment each
	$(foreach version,3.9 3.10 3.11,$(MAKE) test PYTHON=python$(version) VENV=.venv-$(version) &&) true

train-lite: $(READY)  ## from CADs to weights; PIX3D=DIR adds Pix3D's shapes
	$(BIN)/python -m mask2cad_tf.train_lite --work_dir=runs/lite $(if $(PIX3D),--pix3d=$(PIX3D))

train-quick: $(READY)  ## the same, small: a first impression
	$(BIN)/python -m mask2cad_tf.train_lite --quick --work_dir=runs/quick $(if $(PIX3D),--pix3d=$(PIX3D))

cycles: .venv-cycles/.ready  ## Blender's renderer for synthesize --renderer=cycles

.venv-cycles/.ready:  # bpy 4.5 is for Python 3.11 only; 1 GB
	@$(CYCLES_PYTHON) -c 'import sys; sys.version_info[:2] == (3, 11) or sys.exit("bpy 4.5 needs Python 3.11; %s is Python %d.%d. Say which one to use: make cycles CYCLES_PYTHON=/path/to/python3.11" % ((sys.executable,) + sys.version_info[:2]))'
	$(CYCLES_PYTHON) -m venv .venv-cycles
	.venv-cycles/bin/pip install --quiet --disable-pip-version-check 'bpy==4.5.*'
	@touch $@

native: $(NATIVE)  ## runs photos through an exported model, without Python

# Built against the libraries of the installed TensorFlow; g++ and 15 seconds.
$(NATIVE): $(READY) $(wildcard mask2cad_tf/serving/native/*)
	@command -v $(CXX) >/dev/null || { echo 'make native needs a C++ compiler: apt-get install g++' >&2; exit 1; }
	@mkdir -p $(@D)
	@echo $(CXX) $(filter %.cc,$^) -o $@
	@flags="$$(TF_CPP_MIN_LOG_LEVEL=3 $(BIN)/python -W ignore -c '$(TF_FLAGS)')" && \
	$(CXX) -O1 -Wall -Wextra $(filter %.cc,$^) $$flags -o $@.$$$$ && mv $@.$$$$ $@

TF_FLAGS := from tensorflow import sysconfig as s; print( \
  *s.get_compile_flags(), "-isystem", s.get_include(), "-L" + s.get_lib(), \
  "-Wl,--no-as-needed,-rpath," + s.get_lib(), "-l:libtensorflow_cc.so.2", \
  *s.get_link_flags())

page:  ## the page that scenes are shown in, bundled anew from its sources; npm
	cd mask2cad_tf/scene/page && npm ci --no-audit --no-fund && npm run build

docs: $(READY)  ## docs/configuration.md, out of the config dataclasses
	$(BIN)/python -W ignore -m tests.docs.configuration_page

check: $(READY)  ## style, types of the pure packages, floors, docstrings, a test for every module
	$(BIN)/ruff check mask2cad_tf tfrecords_tools tests setup.py
	$(BIN)/ruff format --check mask2cad_tf tfrecords_tools tests setup.py
	$(BIN)/mypy
	$(BIN)/python -m pytest tests/house_test.py tests/import_floors_test.py tests/docstrings_test.py tests/test_map_test.py

# The folders whose branches are counted.
COUNTED := ops geometry losses data retrieval evaluation
coverage: $(READY)  ## branches of these folders that the suite takes; slow
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt pytest-cov
	$(BIN)/python -m pytest -n 2 --dist=loadfile --no-loadscope-reorder $(COUNTED:%=--cov=mask2cad_tf/%) --cov-branch --cov-report=term-missing

format: $(READY)
	$(BIN)/ruff check --fix mask2cad_tf tfrecords_tools tests setup.py
	$(BIN)/ruff format mask2cad_tf tfrecords_tools tests setup.py

clean:
	rm -rf .venv .venv-* build dist *.egg-info
