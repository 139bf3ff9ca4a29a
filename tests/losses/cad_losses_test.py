import math

import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from mask2cad_tf.configs import mask2cad
from mask2cad_tf.losses import cad_losses
from mask2cad_tf.ops import quaternions
from tests.losses import cad_batch

CONFIG = mask2cad.Losses()


def turns(*degrees):
  """Rotations about +y, float [n, 4]."""
  radians = tf.constant(np.radians(degrees), tf.float32)
  return quaternions.from_axis_angle(tf.constant([0.0, 1.0, 0.0]), radians)


def one_roi(degrees, logits, delta=(0.95, 0, 0, 0), symmetry=1, valid=True):
  """One RoI of class 1 turned by `degrees`; bins at 0, 90, 180, 270."""
  outputs = {
    'pose_bin_logits': tf.constant([[[[0.0] * 4, logits]]]),
    'pose_deltas': tf.constant([[[[[7.0] * 4], [list(delta)]]]]),
  }
  labels = {
    'roi_classes': tf.constant([[1]]),
    'roi_valid': tf.constant([[valid]]),
    'roi_rotations': turns(degrees)[tf.newaxis],
    'roi_symmetries': tf.constant([[symmetry]]),
  }
  bins = tf.stack([tf.zeros([4, 4]), turns(0, 90, 180, 270)])
  bins_valid = tf.constant([[False] * 4, [True] * 4])
  return outputs, labels, bins, bins_valid


def cross_entropy(logits, index):
  return math.log(sum(math.exp(x) for x in logits)) - logits[index]


def all_losses(outputs, labels, bins, bins_valid, config=CONFIG):
  return {
    'embedding': cad_losses.embedding_loss(outputs, labels, config),
    'center': cad_losses.center_loss(outputs, labels, config),
    **cad_losses.pose_losses(outputs, labels, bins, bins_valid, config),
  }


class PoseLossesTest(tf.test.TestCase, parameterized.TestCase):
  def test_bin_cross_entropy_by_hand(self):
    # 80 degrees is nearest to bin 1.
    logits = [0.5, 1.0, -2.0, 0.0]
    losses = cad_losses.pose_losses(*one_roi(80, logits), CONFIG)
    self.assertAllClose(losses['pose_bin'], cross_entropy(logits, 1))

  def test_missing_bins_have_no_probability(self):
    outputs, labels, bins, _ = one_roi(80, [0.5, 1.0, -2.0, 50.0])
    bins_valid = tf.constant([[False] * 4, [True, True, True, False]])
    losses = cad_losses.pose_losses(outputs, labels, bins, bins_valid, CONFIG)
    self.assertAllClose(losses['pose_bin'], cross_entropy([0.5, 1.0, -2.0], 1))

  def test_class_without_bins_does_not_count(self):
    # 10 degrees from bin 0, which would open the gate, were it there.
    outputs, labels, bins, bins_valid = one_roi(10, [3.0, 1.0, -2.0, 0.0])
    losses = cad_losses.pose_losses(
      outputs, labels, bins, tf.zeros_like(bins_valid), CONFIG
    )
    self.assertAllEqual(list(losses.values()), [0.0, 0.0, 0.0])

  @parameterized.parameters((60.5, 1.0), (59.5, 0.0), (119.5, 1.0), (121, 0.0))
  def test_theta_gate_on_the_argmax_bin(self, degrees, share):
    # The arg-max bin is 1, at 90 degrees: theta = 30 covers 60 to 120.
    losses = cad_losses.pose_losses(
      *one_roi(degrees, [0.0, 3.0, 0.0, 0.0]), CONFIG
    )
    self.assertEqual(losses['refined_share'], share)
    self.assertEqual(losses['pose_delta'] > 0.0, share == 1.0)

  def test_nearest_bin_does_not_open_the_gate(self):
    # The truth lies on bin 1 but bin 2 is classified: nothing to refine.
    losses = cad_losses.pose_losses(*one_roi(90, [0.0, 0.0, 3.0, 0.0]), CONFIG)
    self.assertEqual(losses['refined_share'], 0.0)
    self.assertEqual(losses['pose_delta'], 0.0)

  def test_delta_huber_by_hand(self):
    # Truth 110 from the arg-max bin 90: delta target (cos 10, 0, sin 10, 0)
    # = (0.98481, 0, 0.17365, 0). Errors of the initial (0.95, 0, 0, 0):
    # 0.03481: 0.03481^2 / 2 = 0.000606; 0.17365: 0.15 (0.17365 - 0.075).
    losses = cad_losses.pose_losses(*one_roi(110, [0.0, 3.0, 0.0, 0.0]), CONFIG)
    self.assertAllClose(
      losses['pose_delta'], 0.000606 + 0.15 * (0.17365 - 0.075), atol=1e-5
    )

  @parameterized.parameters(110, -250, 470)
  def test_perfect_delta_costs_nothing(self, degrees):
    # One rotation, three quaternions of both signs: the target has w >= 0.
    losses = cad_losses.pose_losses(
      *one_roi(
        degrees, [0.0, 3.0, 0.0, 0.0], delta=turns(20)[0].numpy().tolist()
      ),
      CONFIG,
    )
    self.assertAllClose(losses['pose_delta'], 0.0, atol=1e-8)

  def test_bins_of_a_symmetric_cad_are_right_together(self):
    # A table of order 2 at 80 degrees is also one at 260: bins 1 and 3.
    logits = [0.5, 1.0, -2.0, 4.0]
    case = one_roi(80, logits, symmetry=2)
    losses = cad_losses.pose_losses(*case, CONFIG)
    together = math.exp(1.0) + math.exp(4.0)
    everything = together + math.exp(0.5) + math.exp(-2.0)
    self.assertAllClose(losses['pose_bin'], math.log(everything / together))
    # And the delta starts at the classified bin 3: -10 degrees.
    self.assertEqual(losses['refined_share'], 1.0)
    plain = cad_losses.pose_losses(*case, mask2cad.Losses(use_symmetry=False))
    self.assertAllClose(plain['pose_bin'], cross_entropy(logits, 1))
    self.assertEqual(plain['refined_share'], 0.0)

  def test_square_table_fits_every_bin(self):
    losses = cad_losses.pose_losses(
      *one_roi(10, [0.5, 1.0, -2.0, 4.0], symmetry=4), CONFIG
    )
    self.assertAllClose(losses['pose_bin'], 0.0, atol=1e-6)

  @parameterized.parameters((10, 0), (50, 1))
  def test_bin_out_of_reach_of_an_equivalent_is_wrong(self, degrees, right):
    # A wardrobe is never seen from behind, so its bins are 0 and 90. At 10
    # degrees it is also one at 190, nearest to 90, but 100 degrees off: bin 0
    # alone is right. At 50 both equivalents are beyond theta = 30: 40 from 90,
    # and 230, 130 from 0: the nearest is right all the same.
    outputs, labels, bins, _ = one_roi(
      degrees, [0.0, 3.0, 0.0, 0.0], symmetry=2
    )
    bins_valid = tf.constant([[False] * 4, [True, True, False, False]])
    losses = cad_losses.pose_losses(outputs, labels, bins, bins_valid, CONFIG)
    self.assertAllClose(losses['pose_bin'], cross_entropy([0.0, 3.0], right))

  def test_round_table_has_no_turn_to_learn(self):
    # Any turn: the nearest equivalent of 45 degrees to bin 2 is bin 2 itself.
    losses = cad_losses.pose_losses(
      *one_roi(45, [0.0, 0.0, 3.0, 0.0], delta=(1, 0, 0, 0), symmetry=0), CONFIG
    )
    self.assertEqual(losses['refined_share'], 1.0)
    self.assertAllClose(losses['pose_delta'], 0.0, atol=1e-8)

  def test_delta_per_bin_uses_the_argmax_bin(self):
    outputs, labels, bins, bins_valid = one_roi(110, [0.0, 3.0, 0.0, 0.0])
    exact = turns(20)[0]
    deltas = tf.stack([tf.fill([4], 5.0), exact, exact + 1.0, exact - 1.0])
    outputs['pose_deltas'] = tf.stack([tf.zeros([4, 4]), deltas])[
      tf.newaxis, tf.newaxis
    ]
    losses = cad_losses.pose_losses(outputs, labels, bins, bins_valid, CONFIG)
    self.assertAllClose(losses['pose_delta'], 0.0, atol=1e-8)

  @parameterized.parameters(1, cad_batch.K)
  def test_mean_of_single_rois(self, deltas_per_class):
    outputs, labels, bins, bins_valid = cad_batch.make(
      deltas_per_class=deltas_per_class
    )
    wide = mask2cad.Losses(refine_max_angle=2.5)
    together = cad_losses.pose_losses(outputs, labels, bins, bins_valid, wide)
    alone = [
      cad_losses.pose_losses(
        {k: v[b : b + 1, q : q + 1] for k, v in outputs.items()},
        {k: v[b : b + 1, q : q + 1] for k, v in labels.items()},
        bins,
        bins_valid,
        wide,
      )
      for b in range(cad_batch.B)
      for q in range(3)
    ]
    refined = [one for one in alone if one['refined_share'] == 1.0]
    self.assertNotEmpty(refined)
    self.assertAllClose(
      together['pose_bin'], np.mean([one['pose_bin'] for one in alone])
    )
    self.assertAllClose(
      together['pose_delta'], np.mean([one['pose_delta'] for one in refined])
    )
    self.assertAllClose(together['refined_share'], len(refined) / len(alone))


class CenterLossTest(tf.test.TestCase):
  def test_by_hand(self):
    # Class 1: errors 0.1 and -0.35: 0.1^2 / 2 + 0.15 (0.35 - 0.075) = 0.04625.
    outputs = {'center_offsets': tf.constant([[[[9.0, 9.0], [0.3, -0.25]]]])}
    labels = {
      'roi_center_offsets': tf.constant([[[0.2, 0.1]]]),
      'roi_classes': tf.constant([[1]]),
      'roi_valid': tf.constant([[True]]),
    }
    self.assertAllClose(
      cad_losses.center_loss(outputs, labels, CONFIG), 0.04625
    )


class AllCadLossesTest(tf.test.TestCase, parameterized.TestCase):
  def test_independent_of_padding(self):
    outputs, labels, bins, bins_valid = cad_batch.make(num_rois=3)
    tight = all_losses(outputs, labels, bins, bins_valid)
    pool = ('view_embeddings', 'pool_cads', 'pool_classes')

    def pad(value, fill):
      return tf.concat(
        [value, tf.fill([cad_batch.B, 5] + value.shape[2:], fill)], axis=1
      )

    padded_outputs = {
      key: value if key in pool else pad(value, 123.0)
      for key, value in outputs.items()
    }
    fills = {
      'roi_valid': False,
      'roi_cads': -1,
      'roi_classes': 0,
      'roi_symmetries': 1,
      'roi_rotations': 0.0,
      'roi_center_offsets': 0.0,
    }
    padded_labels = {
      key: value if key in pool else pad(value, fills[key])
      for key, value in labels.items()
    }
    padded = all_losses(padded_outputs, padded_labels, bins, bins_valid)
    self.assertAllClose(padded, tight)
    self.assertGreater(tight['embedding'], 0.0)

  @parameterized.parameters(True, False)
  def test_finite_with_finite_gradients(self, any_valid):
    outputs, labels, bins, bins_valid = cad_batch.make()
    labels['roi_valid'] &= any_valid
    with tf.GradientTape(persistent=True) as tape:
      tape.watch(outputs)
      losses = all_losses(outputs, labels, bins, bins_valid)
      total = tf.add_n(list(losses.values()))
    self.assertEqual(total > 0.0, any_valid)
    gradients = tape.gradient(
      total, outputs, unconnected_gradients=tf.UnconnectedGradients.ZERO
    )
    for key, gradient in gradients.items():
      self.assertTrue(np.all(np.isfinite(gradient)), key)
      self.assertEqual(
        np.any(gradient),
        any_valid and (key != 'pose_deltas' or losses['refined_share'] > 0.0),
        key,
      )

  def test_gradient_at_a_perfect_delta(self):
    outputs, labels, bins, bins_valid = one_roi(
      90, [0.0, 3.0, 0.0, 0.0], delta=(1, 0, 0, 0)
    )
    with tf.GradientTape() as tape:
      tape.watch(outputs['pose_deltas'])
      loss = cad_losses.pose_losses(outputs, labels, bins, bins_valid, CONFIG)[
        'pose_delta'
      ]
    gradient = tape.gradient(loss, outputs['pose_deltas'])
    self.assertAllClose(gradient, np.zeros([1, 1, 2, 1, 4]), atol=1e-6)

  def test_delta_descends_to_the_truth(self):
    outputs, labels, bins, bins_valid = one_roi(110, [0.0, 3.0, 0.0, 0.0])
    deltas = tf.Variable(outputs['pose_deltas'])

    @tf.function
    def step():
      with tf.GradientTape() as tape:
        loss = cad_losses.pose_losses(
          {**outputs, 'pose_deltas': deltas}, labels, bins, bins_valid, CONFIG
        )['pose_delta']
      deltas.assign_sub(0.2 * tape.gradient(loss, deltas))

    for _ in range(80):
      step()
    self.assertAllClose(deltas[0, 0, 1, 0], turns(20)[0], atol=1e-3)

  @parameterized.parameters(False, True)
  def test_graph_and_compiled_as_eager(self, jit_compile):
    case = cad_batch.make()
    eager = all_losses(*case)
    graph = tf.function(
      lambda *case: all_losses(*case), jit_compile=jit_compile
    )
    self.assertAllClose(graph(*case), eager, atol=1e-5)

  def test_half_precision_outputs(self):
    outputs, labels, bins, bins_valid = cad_batch.make()
    half = {key: tf.cast(value, tf.bfloat16) for key, value in outputs.items()}
    losses = all_losses(half, labels, bins, bins_valid)
    for value in losses.values():
      self.assertEqual(value.dtype, tf.float32)
    self.assertAllClose(
      losses['embedding'],
      all_losses(outputs, labels, bins, bins_valid)['embedding'],
      rtol=0.02,
    )

  def test_unknown_batch_size(self):
    outputs, labels, bins, bins_valid = cad_batch.make()

    def loosen(tensors):
      return {
        key: tf.TensorSpec([None] + value.shape[1:], value.dtype)
        for key, value in tensors.items()
      }

    graph = tf.function(
      lambda outputs, labels: all_losses(outputs, labels, bins, bins_valid),
      input_signature=[loosen(outputs), loosen(labels)],
    )
    self.assertAllClose(
      graph(outputs, labels),
      all_losses(outputs, labels, bins, bins_valid),
      atol=1e-5,
    )
