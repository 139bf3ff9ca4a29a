"""Every module has its test, or is a part of one that has.

Its test is a file of its name, or one that imports it or runs it as a command.
A part is imported by a module of its own folder that has a test or is a part.
"""

import ast
import pathlib

from tests import source_imports

_ROOT = pathlib.Path(__file__).parents[1]
# Tested through the command that uses them.
_TESTED_BY = {
  'mask2cad_tf/data/worker_pool.py': 'tfrecords_tools/example_runner_test.py',
  'mask2cad_tf/scene/prediction_summary.py': 'predict_test.py',
  'mask2cad_tf/serving/scene_predictor.py': 'predict_test.py',
  'tfrecords_tools/cad_sources/library_writer.py': (
    'tfrecords_tools/cad_library_test.py'
  ),
  **{
    f'tfrecords_tools/diagnosis/{name}.py': 'tfrecords_tools/doctor_test.py'
    for name in (
      'dataset_summary',
      'duplicate_shapes',
      'examination',
      'other_cads',
      'swapped_masks',
      'verdict',
    )
  },
}


def _modules():
  for folder in ('mask2cad_tf', 'tfrecords_tools'):
    for path in sorted((_ROOT / folder).rglob('*.py')):
      if path.name != '__init__.py' and 'node_modules' not in path.parts:
        yield path.relative_to(_ROOT)


def _named_by_tests():
  """Dotted names that the tests import or run."""
  names = set()
  for path in (_ROOT / 'tests').rglob('*.py'):
    names.update(source_imports.imports(path))
    for node in ast.walk(ast.parse(path.read_text())):
      if isinstance(node, ast.Constant) and isinstance(node.value, str):
        names.update(node.value.split())
  return names


def _dotted(path):
  return '.'.join(path.with_suffix('').parts)


def _without_test(modules, named, test_files):
  """Those of `modules` that neither have a test nor are a part."""
  covered = {
    path
    for path in modules
    if _dotted(path) in named or f'{path.stem}_test.py' in test_files
  }
  reached = list(covered)
  while reached:
    path = reached.pop()
    parts = set(source_imports.imports(_ROOT / path))
    for other in modules:
      if (
        other not in covered
        and other.parent == path.parent
        and _dotted(other) in parts
      ):
        covered.add(other)
        reached.append(other)
  return sorted(str(path) for path in set(modules) - covered)


def test_every_module_has_a_test():
  test_files = {path.name for path in (_ROOT / 'tests').rglob('*_test.py')}
  modules = list(_modules())
  missing = set(_without_test(modules, _named_by_tests(), test_files))
  assert missing == set(_TESTED_BY)
  for test in _TESTED_BY.values():
    assert (_ROOT / 'tests' / test).exists()


def test_a_module_without_test_is_seen():
  modules = list(_modules())
  missing = _without_test(modules, {'mask2cad_tf.predict'}, set())
  assert 'mask2cad_tf/ops/cameras.py' in missing
  assert 'mask2cad_tf/predict.py' not in missing
