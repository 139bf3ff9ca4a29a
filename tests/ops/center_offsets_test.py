import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from mask2cad_tf.ops import center_offsets


class CenterOffsetsTest(tf.test.TestCase, parameterized.TestCase):
  def test_by_hand(self):
    # Box of width 40, height 20 about (30, 20); centre 10 right, 5 above.
    box = tf.constant([10.0, 10.0, 30.0, 50.0])
    offsets = center_offsets.encode(tf.constant([40.0, 15.0]), box)
    self.assertAllClose(offsets, [0.25, -0.25])

  @parameterized.parameters(range(4))
  def test_round_trip(self, seed):
    rng = np.random.default_rng(seed)
    low = rng.uniform(0, 300, [2, 5, 2])
    boxes = np.concatenate(
      [low, low + rng.uniform(1, 300, [2, 5, 2])], -1
    ).astype(np.float32)
    centers = rng.uniform(-100, 700, [2, 5, 2]).astype(np.float32)
    offsets = center_offsets.encode(centers, boxes)
    self.assertAllClose(
      center_offsets.decode(offsets, boxes), centers, atol=1e-2
    )

  def test_padding_encodes_to_zero(self):
    self.assertAllEqual(
      center_offsets.encode(tf.constant([3.0, 4.0]), tf.zeros([4])), [0, 0]
    )
