"""Crops and cosines."""

import numpy as np

from mask2cad_tf.refinement import fine_features
from mask2cad_tf.refinement import pose_steps
from mask2cad_tf.refinement import shape as shape_lib
from mask2cad_tf.refinement import window as window_lib
from tests.refinement import scenes

_POSE = pose_steps.Pose(scenes.ROTATION, scenes.TRANSLATION)


def _crops(**kwargs):
  mask = scenes.silhouette(scenes.table())
  target = scenes.target_of(mask, **kwargs)
  window = window_lib.around(target.box, 1.1, fine_features.CROP_SIZE)
  return fine_features.Crops(target, window), window.sample(mask)


def test_photo_is_grey_outside_the_mask():
  image = np.full((scenes.HEIGHT, scenes.WIDTH, 3), (200, 50, 90), np.uint8)
  crops, inside = _crops(image=image)
  assert crops.photo.shape == (128, 128, 3)
  assert crops.photo.dtype == np.uint8
  np.testing.assert_array_equal(crops.photo[0, 0], [127, 127, 127])
  np.testing.assert_array_equal(
    np.median(crops.photo[inside], axis=0), [200, 50, 90]
  )


def test_the_posed_cad_covers_the_photos_object():
  crops, inside = _crops()
  picture = crops.posed(shape_lib.Shape(scenes.table()), _POSE)
  assert picture.shape == (128, 128, 3)
  np.testing.assert_array_equal(
    picture[~inside & (picture[..., 0] == 127)], 127
  )
  drawn = picture[..., 0] != 127
  assert (drawn == inside).mean() > 0.97


def test_both_are_grey_where_nothing_counts():
  countable = np.ones((scenes.HEIGHT, scenes.WIDTH), bool)
  countable[120:] = False
  crops, _ = _crops(countable=countable)
  picture = crops.posed(shape_lib.Shape(scenes.table()), _POSE)
  np.testing.assert_array_equal(picture[-20:], 127)
  np.testing.assert_array_equal(crops.photo[-20:], 127)


def test_cosines_by_hand():
  # Minus the mean (1, 1): (1, 0) and (0, -2) against (2, 0): 1 and 0.
  maps = [np.array([2.0, 1.0]), np.array([1.0, -1.0])]
  found = fine_features.cosines(maps, np.array([3.0, 1.0]), np.ones(2))
  np.testing.assert_allclose(found, [1.0, 0.0], atol=1e-12)


def test_the_maps_own_mean():
  # Mean (1, 0): (1, 0) and (-1, 0) against (2, 0): 1 and -1.
  maps = [np.array([2.0, 0.0]), np.array([0.0, 0.0])]
  found = fine_features.cosines(maps, np.array([3.0, 0.0]))
  np.testing.assert_allclose(found, [1.0, -1.0], atol=1e-12)
  alone = fine_features.cosines(maps[:1], np.array([3.0, 0.0]))
  np.testing.assert_allclose(alone, [1.0], atol=1e-12)
