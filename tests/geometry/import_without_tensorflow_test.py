"""geometry works where TensorFlow is not installed."""

import subprocess
import sys

_PROGRAM = """
import importlib, pkgutil, sys
sys.modules['tensorflow'] = None  # any import of it raises ImportError
from mask2cad_tf import geometry
names = [m.name for m in pkgutil.walk_packages(
    geometry.__path__, 'mask2cad_tf.geometry.')]
for name in names:
  importlib.import_module(name)
try:
  import tensorflow
except ImportError:
  print(len(names))
"""


def test_every_module_imports_with_tensorflow_absent():
  done = subprocess.run(
    [sys.executable, '-c', _PROGRAM],
    capture_output=True,
    text=True,
    check=False,
  )
  assert done.returncode == 0, done.stderr
  assert int(done.stdout) >= 12
