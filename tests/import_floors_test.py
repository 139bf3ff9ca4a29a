"""Imports only go down the floors of ARCHITECTURE.md."""

import pathlib

import pytest

from tests import source_imports

_ROOT = pathlib.Path(__file__).parents[1]
_FLOORS = {
  'conventions': 0,
  'command_line': 0,
  'close_names': 0,
  'number_type': 0,
  'packaged_model': 0,
  'progress': 0,
  'bound_process': 0,
  'training_watch': 1,
  'foreign': 0,
  'ops': 1,
  'geometry': 1,
  'configs': 1,
  'data': 2,
  'losses': 2,
  'modeling': 3,
  'retrieval': 3,
  'evaluation': 3,
  'refinement': 3,
  'tasks': 4,
  'serving': 4,
  'scene': 4,
  '__main__': 5,
  'registry_imports': 5,
  'train': 5,
  'evaluate': 5,
  'gallery': 5,
  'doctor': 5,
  'export': 5,
  'predict': 5,
  'demo': 5,
  'cache_features': 5,
  'pack': 5,
  'calibrate': 5,
  'train_lite': 5,
}
_SAME_FLOOR = {
  ('retrieval', 'modeling'),
  ('demo', 'gallery'),
  ('train', 'registry_imports'),
  ('tasks', 'scene'),
  ('serving', 'scene'),
}
_TOOLS_MAY_USE = {
  *('command_line', 'close_names', 'progress'),
  *('conventions', 'foreign', 'geometry', 'data'),
}
# third-party package -> the only modules that may import it
_SINGLE_DOORS = {
  'tensorflow_graphics': {'mask2cad_tf/ops/quaternions.py'},
  'tensorflow_addons': {'mask2cad_tf/data/color_jitter.py'},
  'embreex': {'mask2cad_tf/geometry/ray_caster.py'},
  'matplotlib': {'mask2cad_tf/evaluation/report_figures.py'},
  'sklearn': {'mask2cad_tf/evaluation/embedding_map.py'},
  'faiss': {'mask2cad_tf/retrieval/approximate_search.py'},
  'grpc': {'mask2cad_tf/serving/grpc_client.py'},
  'tensorflow_serving': {'mask2cad_tf/serving/grpc_client.py'},
}
_FORBIDDEN_NAMES = {'utils', 'util', 'helpers', 'helper', 'misc', 'common'}


def _sources():
  for folder in ('mask2cad_tf', 'tfrecords_tools'):
    yield from sorted((_ROOT / folder).rglob('*.py'))


def _room(module):
  parts = module.split('.')
  return parts[1] if parts[0] == 'mask2cad_tf' and len(parts) > 1 else None


def _violations(path):
  relative = path.relative_to(_ROOT)
  for name in source_imports.imports(path):
    top, room = name.split('.')[0], _room(name)
    if top == 'tests' or name.startswith('official.legacy'):
      yield f'{relative} imports {name}'
    if top in _SINGLE_DOORS and str(relative) not in _SINGLE_DOORS[top]:
      yield f'{relative} imports {name}: only {_SINGLE_DOORS[top]} may'
    if room is None or room not in _FLOORS:
      continue
    if relative.parts[0] == 'tfrecords_tools':
      if room not in _TOOLS_MAY_USE:
        yield f'{relative} imports {name}: tools use {_TOOLS_MAY_USE}'
      continue
    here = relative.with_suffix('').parts[1]
    if here in ('__init__', room) or (here, room) in _SAME_FLOOR:
      continue
    if _FLOORS[here] <= _FLOORS[room]:
      yield (
        f'{relative} imports {name}: floor {_FLOORS[here]} may not see '
        f'floor {_FLOORS[room]}'
      )


@pytest.mark.parametrize(
  'path', list(_sources()), ids=lambda p: str(p.relative_to(_ROOT))
)
def test_imports_go_down(path):
  assert not list(_violations(path))


def test_geometry_and_ops_are_pure():
  for folder, banned in (
    ('foreign', 'tensorflow'),
    ('geometry', 'tensorflow'),
    ('ops', 'trimesh'),
    ('ops', 'official.vision'),
  ):
    for path in (_ROOT / 'mask2cad_tf' / folder).rglob('*.py'):
      found = [
        n
        for n in source_imports.imports(path)
        if n == banned or n.startswith(banned + '.')
      ]
      assert not found, f'{path.name} imports {found}'


def test_file_names_say_what_is_inside():
  bad = [p for p in _sources() if p.stem in _FORBIDDEN_NAMES]
  assert not bad
