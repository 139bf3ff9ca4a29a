"""Measured depth: what is read, and where it puts an object."""

import dataclasses

import numpy as np
import pytest
from PIL import Image

from mask2cad_tf.scene import depth_map
from tests.scene import wheel_scene


def test_a_png_counts_thousandths(tmp_path):
  values = np.array([[1500, 0], [2000, 65535]], np.uint16)
  Image.fromarray(values).save(tmp_path / 'd.png')
  found = depth_map.load(str(tmp_path / 'd.png'), (2, 2))
  np.testing.assert_allclose(found, [[1.5, np.nan], [2.0, 65.535]], rtol=1e-6)


def test_an_npy_counts_units_and_is_enlarged(tmp_path):
  np.save(tmp_path / 'd.npy', np.array([[1.0, np.inf], [-1.0, 2.0]]))
  found = depth_map.load(str(tmp_path / 'd.npy'), (4, 4))
  nan = np.nan
  expected = [[1, 1, nan, nan]] * 2 + [[nan, nan, 2, 2]] * 2
  np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
  'values, message',
  [
    (np.ones((4, 8)), 'not the same view'),
    (np.ones((4, 4, 3)), 'expected a depth map'),
    (np.array([['a']]), 'no depth map'),
  ],
)
def test_other_arrays_are_refused(tmp_path, values, message):
  path = str(tmp_path / 'd.npy')
  np.save(path, values)
  with pytest.raises(ValueError, match=message):
    depth_map.load(path, (4, 4))


def test_pickles_and_pictures_are_refused(tmp_path):
  np.save(tmp_path / 'd.npy', np.array([{}]), allow_pickle=True)
  Image.new('RGB', (4, 4)).save(tmp_path / 'd.png')
  for name in ('d.npy', 'd.png'):
    with pytest.raises(ValueError, match='no depth map'):
      depth_map.load(str(tmp_path / name), (4, 4))
  with pytest.raises(FileNotFoundError, match='No depth map'):
    depth_map.load(str(tmp_path / 'gone.npy'), (4, 4))


@pytest.mark.parametrize('index', range(wheel_scene.NUM_PHOTOS))
def test_the_posed_cads_own_depth_gives_its_origin(index):
  photo, found = wheel_scene.load(index)
  cad = found.cad
  rendered = (
    wheel_scene.cads()
    .renderer(cad.cad_id)
    .render(
      cad.rotation,
      cad.translation,
      photo.camera.intrinsics,
      photo.camera.height,
      photo.camera.width,
    )
  )
  depths = np.where(np.isfinite(rendered.depth), rendered.depth, np.nan)
  depths[::3] = np.nan  # sensors miss things
  found = dataclasses.replace(found, row=1)
  none, z = depth_map.origin_depths(
    depths, [found], 2, wheel_scene.cads(), photo.camera
  )
  assert none is None
  assert z == pytest.approx(cad.translation[2], rel=0.02)


def test_too_few_pixels_say_nothing():
  photo, found = wheel_scene.load(0)
  depths = np.full(found.cad.mask.shape, np.nan)
  assert depth_map.origin_depths(
    depths, [found], 1, wheel_scene.cads(), photo.camera
  ) == [None]
