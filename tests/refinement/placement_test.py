"""Placement: the extent agrees with what is seen of the object."""

import numpy as np
import pytest

from mask2cad_tf.geometry import cameras
from mask2cad_tf.refinement import placement
from mask2cad_tf.refinement import shape as shape_lib
from tests.refinement import scenes


def _extent(mesh, rotation, translation):
  points = cameras.project(
    mesh.vertices @ rotation.T + translation, scenes.INTRINSICS
  )
  return np.array([*points.min(axis=0)[::-1], *points.max(axis=0)[::-1]])


def _placed(box, depth, rotation=scenes.ROTATION, countable=None):
  target = scenes.target_of(
    np.zeros((scenes.HEIGHT, scenes.WIDTH)), box=box, countable=countable
  )
  return placement.place(
    shape_lib.Shape(scenes.table()),
    rotation[np.newaxis],
    placement.box_edges(target),
    scenes.INTRINSICS,
    depth,
  )[0]


@pytest.mark.parametrize('depth', [scenes.DEPTH, None])
def test_the_true_box_gives_the_true_place(depth):
  box = _extent(scenes.table(), scenes.ROTATION, scenes.TRANSLATION)
  np.testing.assert_allclose(
    _placed(box, depth), scenes.TRANSLATION, rtol=5e-3, atol=2e-3
  )


def test_a_square_on_the_axis():
  # A plate 1 x 1 facing the camera, 100 pixels: Z = 500 * 1 / 100 = 5.
  plate = shape_lib.Shape(scenes.box((1.0, 1.0, 1e-6)))
  target = scenes.target_of(
    np.zeros((240, 320)), box=np.array([70.0, 110.0, 170.0, 210.0])
  )
  translation = placement.place(
    plate, np.eye(3)[np.newaxis], placement.box_edges(target), scenes.INTRINSICS
  )[0]
  np.testing.assert_allclose(translation, [0, 0, 5], atol=1e-4)


def test_a_cut_edge_does_not_pull():
  # Shifted by 0.6 to the image's left, the table leaves the photo.
  translation = scenes.TRANSLATION + [0.6, 0.0, 0.0]
  box = _extent(scenes.table(), scenes.ROTATION, translation)
  assert box[1] < -20
  box[1] = 0.0
  np.testing.assert_allclose(
    _placed(box, scenes.DEPTH), translation, rtol=5e-3, atol=2e-3
  )
  np.testing.assert_allclose(  # the height still tells the size
    _placed(box, None), translation, rtol=1e-2, atol=5e-3
  )


def test_which_edges_are_free():
  countable = np.ones((240, 320), bool)
  countable[100:, :] = False
  target = scenes.target_of(
    np.zeros((240, 320)),
    countable=countable,
    box=np.array([0.0, 40.0, 100.0, 200.0]),
  )
  edges = placement.box_edges(target)
  np.testing.assert_array_equal(edges.low_free, [True, False])
  np.testing.assert_array_equal(edges.high_free, [True, False])
  np.testing.assert_array_equal(edges.whole, [True, False])


def test_nothing_ends_behind_the_camera():
  box = np.array([0.0, 0.0, 240.0, 320.0])  # every edge is cut
  assert _placed(box, None)[2] > 0


def test_the_extent_is_the_projections():
  box = _extent(scenes.table(), scenes.ROTATION, scenes.TRANSLATION)
  low, high = placement.extent(
    shape_lib.Shape(scenes.table()),
    scenes.ROTATION[np.newaxis],
    scenes.TRANSLATION[np.newaxis],
    scenes.INTRINSICS,
  )
  np.testing.assert_allclose(low, [box[[1, 0]]], atol=0.5)
  np.testing.assert_allclose(high, [box[[3, 2]]], atol=0.5)


@pytest.mark.parametrize(
  'low, high, free, expected',
  [
    ([0, 0], [10, 10], True, 1.0),
    ([5, 0], [15, 10], True, 50 / 150),
    ([-10, 0], [10, 10], True, 0.5),
    ([20, 0], [30, 10], True, 0.0),
    ([0, 0], [10, 10], False, 0.0),  # cut at the left: no evidence
  ],
)
def test_box_iou_by_hand(low, high, free, expected):
  edges = placement.BoxEdges(
    low=np.array([0.0, 0.0]),
    high=np.array([10.0, 10.0]),
    low_free=np.array([free, True]),
    high_free=np.array([True, True]),
  )
  found = placement.box_iou(
    np.array([low], float), np.array([high], float), edges
  )
  np.testing.assert_allclose(found, [expected])
