import dataclasses

import numpy as np
import pytest
import trimesh

from mask2cad_tf.evaluation import given_depth
from mask2cad_tf.evaluation import photo as photo_lib
from mask2cad_tf.evaluation import surface_comparison
from mask2cad_tf.geometry import posed_cad
from mask2cad_tf.geometry import rotations

_TURN = rotations.matrix_from_quaternion([1.0, 0.0, 1.0, 0.0])  # 90 about y


def _truth(box, depth=None, z=5.0, mesh='true', rotation=None):
  return posed_cad.PosedCad(
    label=1,
    cad_id='',
    mesh=mesh,
    rotation=np.eye(3) if rotation is None else rotation,
    translation=np.array([0.0, 0.0, z]),
    box=np.array(box, float),
    depth=depth,
  )


def _photo(truths, height=100, width=100):
  return photo_lib.Photo(
    '1',
    np.zeros([height, width, 3], np.uint8),
    np.array([100.0, 100.0, 50.0, 50.0]),
    truths,
  )


def _ask(depth, box, rotation, mesh, truths, center=(50.0, 50.0)):
  """The depth of a prediction in a photo of 100 x 100 pixels."""
  return depth(
    np.array(box, float), rotation, mesh, _photo(truths), np.array(center)
  )


def _comparison():
  shifted = trimesh.creation.box([1.0, 1.0, 2.0])
  shifted.apply_translation([0.0, 0.0, 3.0])  # z from 2 to 4, x about 0
  library = {'true': shifted, 'pred': trimesh.creation.box([1.0, 1.0, 1.0])}
  return surface_comparison.SurfaceComparison(library.get, num_points=20)


def test_origin_mode_gives_the_records_depth():
  depth = given_depth.GivenDepth(_comparison(), 'origin')
  box = np.array([0.0, 0.0, 10.0, 10.0])
  assert _ask(depth, box, np.eye(3), 'pred', [_truth(box, depth=7.0)]) == 7.0
  assert _ask(depth, box, np.eye(3), 'pred', [_truth(box)]) == 5.0


def test_mid_range_centres_the_predicted_extent():
  # The truth's origin at 5, its surface from 7 to 9: middle 8. The predicted
  # cube is centred at its origin: 8. The truth's CAD itself, turned by 90
  # degrees, reaches to both sides of its origin evenly: 8 as well; unturned 5.
  depth = given_depth.GivenDepth(_comparison(), 'mid_range')
  box = np.array([0.0, 0.0, 10.0, 10.0])
  truths = [_truth(box, depth=5.0)]
  assert _ask(depth, box, np.eye(3), 'pred', truths) == pytest.approx(8.0)
  assert _ask(depth, box, _TURN, 'true', truths) == pytest.approx(8.0)
  assert _ask(depth, box, np.eye(3), 'true', truths) == pytest.approx(5.0)
  assert _ask(depth, box, np.eye(3), '', truths) == 5.0


def test_mid_range_of_a_truth_without_a_cad_is_its_origin():
  depth = given_depth.GivenDepth(_comparison(), 'mid_range')
  box = (0, 0, 10, 10)
  truths = [_truth(box, depth=7.0, mesh='')]
  assert _ask(depth, box, np.eye(3), 'pred', truths) == 7.0


def test_the_truth_of_largest_overlap_gives_the_depth():
  depth = given_depth.GivenDepth(_comparison(), 'origin')
  truths = [
    _truth((0, 0, 10, 10), depth=1.0),
    _truth((0, 4, 10, 14), depth=2.0),
    _truth((0, 40, 10, 50), depth=3.0),
  ]

  def ask(box):
    return _ask(depth, box, np.eye(3), 'pred', truths)

  assert ask((0, 1, 10, 11)) == 1.0
  assert ask((0, 3, 10, 13)) == 2.0
  # No overlap: the nearest centre.
  assert ask((20, 36, 30, 39)) == 3.0
  assert ask((20, 0, 30, 3)) == 1.0


def test_no_truth_is_any_depth():
  depth = given_depth.GivenDepth(_comparison(), 'mid_range')
  assert _ask(depth, np.zeros(4), np.eye(3), 'pred', []) == 1.0


def test_unknown_mode_is_refused():
  with pytest.raises(ValueError, match="not 'median'"):
    given_depth.GivenDepth(_comparison(), 'median')


def test_the_scale_is_given_too():
  near, far = _truth((0, 0, 10, 10)), _truth((0, 40, 10, 50))
  near = dataclasses.replace(near, scale=np.array([1.0, 2.0, 3.0]))
  box = np.array([0.0, 1.0, 10.0, 11.0])
  assert given_depth.given_scale(box, [far, near]).tolist() == [1.0, 2.0, 3.0]
  assert given_depth.given_scale(box, []).tolist() == [1.0, 1.0, 1.0]


def test_mid_range_of_scaled_cads():
  # The truth is stretched by 2 along z: surface from 5 + 4 to 5 + 8, middle 11;
  # so is the CAD itself as a prediction: its origin goes to 5 again.
  depth = given_depth.GivenDepth(_comparison(), 'mid_range')
  box = np.array([0.0, 0.0, 10.0, 10.0])
  truth = dataclasses.replace(_truth(box), scale=np.array([1.0, 1.0, 2.0]))
  assert _ask(depth, box, np.eye(3), 'true', [truth]) == pytest.approx(5.0)
  assert _ask(depth, box, np.eye(3), 'pred', [truth]) == pytest.approx(11.0)


def test_box_fit_needs_no_truth():
  # A cube of side 1 from z - 0.5 on: its front face is 100 / (z - 0.5) pixels
  # wide. A box of 25 x 25 pixels: z - 0.5 = 4. The truth's 7 does not matter.
  depth = given_depth.GivenDepth(_comparison(), 'box_fit')
  box = (37.5, 37.5, 62.5, 62.5)
  truths = [_truth(box, depth=7.0)]
  assert _ask(depth, box, np.eye(3), 'pred', truths) == pytest.approx(4.5)
  assert _ask(depth, box, np.eye(3), 'pred', []) == pytest.approx(4.5)
  assert not depth.is_given


def test_box_fit_of_a_scaled_cad():
  # The CAD is given the truth's scale, 2 everywhere: its front face, of side 2
  # at z - 1, is 25 pixels wide at z - 1 = 8.
  depth = given_depth.GivenDepth(_comparison(), 'box_fit')
  box = (37.5, 37.5, 62.5, 62.5)
  truth = dataclasses.replace(_truth(box), scale=np.full(3, 2.0))
  assert _ask(depth, box, np.eye(3), 'pred', [truth]) == pytest.approx(9.0)


def test_box_fit_without_cad_or_area_takes_the_truths():
  depth = given_depth.GivenDepth(_comparison(), 'box_fit')
  box, empty = (40, 40, 60, 60), (40, 40, 40, 60)
  truths = [_truth(box, depth=7.0)]
  assert _ask(depth, box, np.eye(3), '', truths) == 7.0
  assert _ask(depth, empty, np.eye(3), 'pred', truths) == 7.0
  assert _ask(depth, empty, np.eye(3), 'pred', []) == 1.0


@pytest.mark.parametrize('mode', ['origin', 'mid_range'])
def test_other_modes_give_the_depth(mode):
  assert given_depth.GivenDepth(_comparison(), mode).is_given
