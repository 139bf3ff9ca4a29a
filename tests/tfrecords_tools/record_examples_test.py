import dataclasses
import io

import numpy as np
import pytest
from PIL import Image

from mask2cad_tf.data import schema
from mask2cad_tf.geometry import views
from tfrecords_tools import record_examples

_IMAGE = views.encode_png(np.zeros((20, 30, 3), np.uint8))
_INTRINSICS = (25.0, 25.0, 15.0, 10.0)


def _object(**changes):
  mask = np.zeros((20, 30), bool)
  mask[2:6, 3:9] = True
  return dataclasses.replace(
    record_examples.ObjectRecord(
      label=2,
      label_name='chair',
      box=(2, 3, 6, 9),
      mask=mask,
      cad_id='chair/a',
      mesh='chair/a/m.obj',
      rotation=np.eye(3),
      translation=np.array([0.0, 0.1, 3.0]),
      jittered_view=b'png',
    ),
    **changes,
  )


def _features(*objects, encoded=_IMAGE, intrinsics=_INTRINSICS):
  return record_examples.image_example(
    encoded, 'a.png', 7, intrinsics, objects
  ).features.feature


def test_units_of_a_hand_made_object():
  features = _features(_object())
  for key, expected in (
    (schema.BOX_YMIN, [2 / 20]),
    (schema.BOX_XMAX, [9 / 30]),
    (schema.AREA, [4 * 6]),
    (schema.ROTATION, [1, 0, 0, 0]),
    (schema.DEPTH, [3.0]),
  ):
    np.testing.assert_allclose(
      features[key].float_list.value, expected, rtol=1e-6
    )
  assert features[schema.IMAGE_SOURCE_ID].bytes_list.value[0] == b'7'
  assert features[schema.IMAGE_WIDTH].int64_list.value[0] == 30


def test_depth_may_be_given():
  features = _features(_object(depth=2.5))
  assert features[schema.DEPTH].float_list.value[0] == 2.5


def test_box_one_pixel_outside_is_clipped():
  features = _features(_object(box=(-1, 3, 6, 31)))
  assert features[schema.BOX_YMIN].float_list.value[0] == 0.0
  assert features[schema.BOX_XMAX].float_list.value[0] == 1.0


@pytest.mark.parametrize(
  ('changes', 'message'),
  [
    ({'box': (-3, 3, 6, 9)}, 'a.png.*box'),
    ({'box': (6, 3, 2, 9)}, 'a.png.*box'),
    ({'mask': np.ones((20, 31), bool)}, 'a.png.*mask'),
    ({'mask': np.zeros((20, 30), bool)}, 'a.png.*mask'),
    ({'rotation': -np.eye(3)}, 'a.png.*chair/a.*determinant'),
    ({'label': 0}, 'a.png.*label 0'),
    ({'translation': np.array([0.0, 0.0, 0.0])}, 'a.png.*behind the camera'),
  ],
)
def test_bad_objects_are_refused(changes, message):
  with pytest.raises(ValueError, match=message):
    _features(_object(**changes))


def test_bad_intrinsics_are_refused():
  with pytest.raises(ValueError, match='a.png.*intrinsics'):
    _features(_object(), intrinsics=(0.0, 25.0, 15.0, 10.0))


@pytest.mark.parametrize('format_name', ['JPEG', 'PNG', 'BMP', 'GIF'])
def test_jpeg_and_png_are_kept_others_become_png(format_name):
  buffer = io.BytesIO()
  pixels = np.random.default_rng(0).integers(0, 255, (20, 30, 3), np.uint8)
  Image.fromarray(pixels).save(buffer, format=format_name)
  features = _features(_object(), encoded=buffer.getvalue())
  kept = features[schema.IMAGE_ENCODED].bytes_list.value[0]
  stored = features[schema.IMAGE_FORMAT].bytes_list.value[0]
  assert (kept == buffer.getvalue()) == (format_name in ('JPEG', 'PNG'))
  assert stored == (b'jpeg' if format_name == 'JPEG' else b'png')


def test_view_example_counts_its_views():
  with pytest.raises(ValueError, match='chair/a.*3 views.*16'):
    record_examples.view_example(
      'chair/a', 'chair/a', 1, [b''] * 3, np.zeros((16, 4)), 1, (0, 0, 0)
    )


@pytest.mark.parametrize('symmetries', [(4, 0), (4, None)])
def test_symmetry_where_every_object_has_one(symmetries):
  items = [_object(symmetry=symmetry) for symmetry in symmetries]
  feature = _features(*items)
  if None in symmetries:
    assert schema.OBJECT_SYMMETRY not in feature
  else:
    values = feature[schema.OBJECT_SYMMETRY].int64_list.value
    assert list(values) == list(symmetries)
