"""What the pose heads' numbers mean, by hand."""

import math

import numpy as np
import tensorflow as tf

from mask2cad_tf.modeling.layers import pose_decoder

_HALF = math.sqrt(0.5)
IDENTITY = [1.0, 0.0, 0.0, 0.0]
QUARTER_Y = [_HALF, 0.0, _HALF, 0.0]  # 90 degrees about y
HALF_Y = [0.0, 0.0, 1.0, 0.0]
BOX = tf.constant([[[10.0, 20.0, 30.0, 60.0]]])  # height 20, width 40


def _decoder():
  """Two classes, two bins: class 1 has the identity and 90 degrees."""
  decoder = pose_decoder.PoseDecoder(2, 2)
  decoder.bins.assign([[IDENTITY, IDENTITY], [IDENTITY, QUARTER_Y]])
  return decoder


def _call(decoder, logits, deltas, offsets=(0.0, 0.0), label=1):
  """Runs one RoI; class 0's numbers are decoys."""
  deltas = np.asarray(deltas, np.float32)  # [1 or K, 4]
  return decoder(
    tf.constant([[[[9.0, -9.0], logits]]]),
    tf.constant(np.stack([np.full_like(deltas, 0.5), deltas])[None, None]),
    tf.constant([[[[7.0, 7.0], list(offsets)]]]),
    BOX,
    tf.constant([[label]]),
  )


def test_arg_max_bin_then_delta_from_the_left():
  # 90 degrees about y, twice: 180. The delta's length does not matter.
  rotations, bins, _ = _call(
    _decoder(), [0.0, 1.0], [[3 * v for v in QUARTER_Y]]
  )
  assert bins[0, 0] == 1
  np.testing.assert_allclose(rotations[0, 0], HALF_Y, atol=1e-6)


def test_invalid_bins_are_never_chosen():
  decoder = _decoder()
  decoder.bins_valid.assign([[1, 1], [1, 0]])
  rotations, bins, _ = _call(decoder, [0.0, 99.0], [IDENTITY])
  assert bins[0, 0] == 0
  np.testing.assert_allclose(rotations[0, 0], IDENTITY, atol=1e-6)


def test_delta_of_the_chosen_bin():
  rotations, _, _ = _call(_decoder(), [0.0, 1.0], [QUARTER_Y, IDENTITY])
  np.testing.assert_allclose(rotations[0, 0], QUARTER_Y, atol=1e-6)
  rotations, _, _ = _call(_decoder(), [1.0, 0.0], [QUARTER_Y, IDENTITY])
  np.testing.assert_allclose(rotations[0, 0], QUARTER_Y, atol=1e-6)


def test_center_in_pixels():
  # Box centre (x, y) = (40, 20); 0.25 widths and -0.5 heights away: (50, 10).
  _, _, centers = _call(_decoder(), [0.0, 1.0], [IDENTITY], (0.25, -0.5))
  np.testing.assert_allclose(centers[0, 0], [50.0, 10.0])


def test_fresh_bins_are_identities_and_not_trained():
  decoder = pose_decoder.PoseDecoder(3, 4)
  assert not decoder.trainable_variables
  np.testing.assert_array_equal(
    decoder.bins, np.broadcast_to(IDENTITY, [3, 4, 4])
  )


def test_views_of_a_gallery_are_the_bins_or_as_many_as_wanted():
  same = pose_decoder.PoseDecoder(3, 4)
  assert same.view_rotations.shape == same.bins.shape
  denser = pose_decoder.PoseDecoder(3, 4, num_view_rotations=7)
  assert not denser.trainable_variables
  assert denser.bins.shape == (3, 4, 4)
  np.testing.assert_array_equal(
    denser.view_rotations, np.broadcast_to(IDENTITY, [3, 7, 4])
  )
  np.testing.assert_array_equal(denser.views_valid, np.ones([3, 7]))


def test_background_without_valid_bins_is_finite():
  decoder = _decoder()
  decoder.bins_valid.assign([[0, 0], [1, 1]])
  rotations, bins, centers = _call(decoder, [0.0, 1.0], [IDENTITY], label=0)
  assert bins[0, 0] == 0
  assert np.isfinite(rotations).all()
  assert np.isfinite(centers).all()


def test_graph_equals_eager():
  decoder = _decoder()
  arguments = ([0.0, 1.0], [QUARTER_Y])
  traced = tf.function(lambda: _call(decoder, *arguments))()
  for graph, eager in zip(traced, _call(decoder, *arguments)):
    np.testing.assert_allclose(graph, eager, atol=1e-6)
