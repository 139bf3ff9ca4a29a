"""Which rotations are tried."""

import numpy as np
import pytest
from scipy.spatial import transform

from mask2cad_tf.geometry import rotations as rotations_lib
from mask2cad_tf.refinement import placement
from mask2cad_tf.refinement import proposals
from mask2cad_tf.refinement import shape as shape_lib
from mask2cad_tf.refinement import silhouettes as silhouettes_lib
from mask2cad_tf.refinement import target as target_lib
from mask2cad_tf.refinement import window as window_lib
from tests.refinement import scenes


def _about_y(degrees):
  angles = np.reshape(degrees, (-1, 1))
  return transform.Rotation.from_euler('y', angles, degrees=True).as_matrix()


@pytest.mark.parametrize(
  'symmetry, degrees, expected',
  # 100 is 10 beyond a quarter turn, 80 short of a half turn.
  [(1, 100, 100), (2, 100, 80), (4, 100, 10), (0, 100, 0)],
)
def test_angles_know_symmetry(symmetry, degrees, expected):
  turned = scenes.ROTATION @ _about_y(degrees)
  np.testing.assert_allclose(
    np.degrees(proposals.angles(scenes.ROTATION, turned, symmetry)),
    [expected],
    atol=1e-5,
  )


def test_spread_skips_what_is_near():
  rotations = _about_y([0, 10, 20, 40, 90])
  assert proposals.spread(rotations, (), 9, 1) == [0, 2, 3, 4]
  assert proposals.spread(rotations, (), 2, 1) == [0, 2]
  assert proposals.spread(rotations, _about_y([1]), 9, 1) == [1, 3, 4]
  assert proposals.spread(rotations, (), 9, 4) == [0, 2, 3]  # 90 is 0
  assert proposals.spread(rotations, (), 9, 0) == [0]


def _propose(given, views, symmetry=1):
  target = scenes.target_of(scenes.silhouette(scenes.table()))
  silhouettes = silhouettes_lib.Silhouettes(
    target, window_lib.around(target.box, 1.3, 32)
  )
  proposer = proposals.Proposer(
    target, placement.box_edges(target), silhouettes, proposals.Limits(2, 1)
  )
  candidate = target_lib.Candidate('a', 0.5, given, symmetry)
  return proposer.propose(candidate, shape_lib.Shape(scenes.table()), views)


def test_given_first_then_the_best_view():
  given = np.stack([scenes.turned(90), scenes.turned(180)])
  middle = 0.5 * (
    scenes.box_of(scenes.silhouette(scenes.table()))[[1, 0]]
    + scenes.box_of(scenes.silhouette(scenes.table()))[[3, 2]]
  )
  views = np.stack(
    [
      rotations_lib.allocentric_from_camera(
        scenes.turned(angle), middle, scenes.INTRINSICS
      )
      for angle in (60, 120, 0, 240)
    ]
  )
  poses = _propose(given, views)
  assert len(poses) == 3
  np.testing.assert_array_equal(poses[0].rotation, given[0])
  np.testing.assert_allclose(poses[2].rotation, scenes.ROTATION, atol=1e-9)
  np.testing.assert_allclose(
    poses[2].translation, scenes.TRANSLATION, atol=0.02
  )


def test_a_symmetric_cad_needs_one_turn():
  given = scenes.ROTATION @ _about_y([0, 50])
  assert len(_propose(given, None, 1)) == 2
  assert len(_propose(given, None, 0)) == 1


def test_no_rotation_at_all():
  poses = _propose(np.zeros((0, 3, 3)), None)
  assert len(poses) == 1
