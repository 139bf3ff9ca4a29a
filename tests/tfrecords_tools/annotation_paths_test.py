"""Annotations name photos, masks and CADs of their own folder alone."""

import json

import pytest

from tests.fuzz import annotation_targets
from tfrecords_tools import coco
from tfrecords_tools import pix3d_annotations
from tfrecords_tools import scan2cad_annotations

_SEEDS = {target.name: target.seeds for target in annotation_targets.TARGETS}
_READERS = {
  'pix3d': pix3d_annotations.read,
  'coco': lambda path: coco.read(path, {}),
  'scan2cad': scan2cad_annotations.read,
}


def _put(content, key, value):
  """Puts a value under every such key, however deep."""
  for name, inner in content.items() if isinstance(content, dict) else ():
    if name == key:
      content[name] = value
    else:
      _put(inner, key, value)
  for inner in content if isinstance(content, list) else ():
    _put(inner, key, value)


@pytest.mark.parametrize('outside', ['../x.png', '/etc/passwd', 'a\\b', 'a\0b'])
@pytest.mark.parametrize(
  ('kind', 'number', 'key'),
  [
    *(('pix3d', 0, key) for key in ('img', 'mask', 'model')),
    *(('pix3d', 1, key) for key in ('file_name', 'segmentation', 'model')),
    ('coco', 0, 'file_name'),
    *(('scan2cad', 0, key) for key in ('id_scan', 'catid_cad', 'id_cad')),
  ],
)
def test_a_path_outside_is_refused(tmp_path, kind, number, key, outside):
  content = json.loads(_SEEDS[kind]()[number])
  path = tmp_path / 'annotations.json'
  path.write_text(json.dumps(content))
  _READERS[kind](str(path))
  _put(content, key, outside)
  path.write_text(json.dumps(content))
  with pytest.raises(ValueError, match='annotations.json.*the path '):
    _READERS[kind](str(path))


def test_a_scan_is_no_path_of_folders(tmp_path):
  content = json.loads(_SEEDS['scan2cad']()[0])
  _put(content, 'id_cad', 'a/b')
  (tmp_path / 'a.json').write_text(json.dumps(content))
  with pytest.raises(ValueError, match='no name of a folder'):
    scan2cad_annotations.read(str(tmp_path / 'a.json'))
