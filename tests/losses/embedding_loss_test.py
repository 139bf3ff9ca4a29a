import importlib
import math
import os
import subprocess
import sys

import numpy as np
import tensorflow as tf

from mask2cad_tf.configs import mask2cad
from mask2cad_tf.losses import cad_losses
from tests.losses import cad_batch


def joined(cases, part):
  """Outputs (0) or labels (1) of the replicas as those of one batch."""
  return {
    key: tf.concat([case[part][key] for case in cases], axis=0)
    for key in cases[0][part]
  }


def cross_replica_main():
  """Two logical CPUs: the mean of their losses is that of the whole batch.

  One has three anchors fewer: a mean of means would be another number.
  """
  # Strategies start before TensorFlow does: no import may run an operation.
  importlib.import_module('mask2cad_tf.train')
  cpu = tf.config.list_physical_devices('CPU')[0]
  tf.config.set_logical_device_configuration(
    cpu, [tf.config.LogicalDeviceConfiguration()] * 2
  )
  strategy = tf.distribute.MirroredStrategy(['CPU:0', 'CPU:1'])
  config = mask2cad.Losses(cross_replica_pool=True)
  cases = [cad_batch.make(seed)[:2] for seed in (0, 5)]
  valid = cases[1][1]['roi_valid'].numpy()
  valid[0] = False
  cases[1][1]['roi_valid'] = tf.constant(valid)

  def place(key, part):
    return strategy.experimental_distribute_values_from_function(
      lambda context: cases[context.replica_id_in_sync_group][part][key]
    )

  inputs = [
    {key: place(key, part) for key in cases[0][part]} for part in (0, 1)
  ]

  def losses_of(outputs, labels, config):
    return (
      cad_losses.embedding_loss(outputs, labels, config),
      cad_losses.center_loss(outputs, labels, config),
    )

  @tf.function
  def step(outputs, labels):
    def replica(outputs, labels):
      views = outputs['view_embeddings']
      with tf.GradientTape() as tape:
        tape.watch(views)
        losses = losses_of(outputs, labels, config)
      return losses, tape.gradient(losses[0], views)

    return strategy.run(replica, (outputs, labels))

  losses, gradients = step(*inputs)
  outputs, labels = (joined(cases, part) for part in (0, 1))
  with tf.GradientTape() as tape:
    tape.watch(outputs)
    expected = losses_of(outputs, labels, mask2cad.Losses())
  for found, wanted in zip(losses, expected):
    found = strategy.experimental_local_results(found)
    np.testing.assert_allclose(np.mean(found), wanted, rtol=1e-5)
  # A view serves the anchors of both replicas, and learns from both.
  found = tf.concat(strategy.experimental_local_results(gradients), axis=0)
  wanted = tape.gradient(expected[0], outputs['view_embeddings'])
  np.testing.assert_allclose(0.5 * found, wanted, rtol=1e-4, atol=1e-6)
  alone = losses_of(*cases[0], mask2cad.Losses())[0]
  assert abs(float(alone - expected[0])) > 1e-3, 'the other pool is idle'


class EmbeddingLossTest(tf.test.TestCase):
  def test_one_positive_two_negatives(self):
    # D = 4 for the own view, 5.3333 and 0 for the views of two other CADs of
    # the class, C = 1.5: ln(1 + 1.5 (e^5.3333 + e^0) / e^4).
    outputs = {
      'image_embeddings': tf.constant([[[2.0, 0.0]]]),
      'view_embeddings': tf.constant(
        [[[[0.6, 0.8]], [[0.8, 0.6]], [[0.0, 3.0]]]]
      ),
    }
    labels = {
      'roi_cads': tf.constant([[4]]),
      'roi_classes': tf.constant([[2]]),
      'roi_valid': tf.constant([[True]]),
      'pool_cads': tf.constant([[4, 5, 6]]),
      'pool_classes': tf.constant([[2, 2, 2]]),
    }
    by_hand = math.log1p(1.5 * (math.exp(0.8 / 0.15) + 1) / math.exp(4.0))
    self.assertAllClose(
      cad_losses.embedding_loss(outputs, labels, mask2cad.Losses()),
      by_hand,
      rtol=1e-5,
    )

  def test_views_keep_the_cad_of_their_object(self):
    # All four views of the own CAD equal the anchor, all others oppose it: the
    # loss is that of D = +-1 / tau, with 4 positives and 4 negatives.
    own, other = tf.ones([1, 1, 4, 2]), -tf.ones([1, 1, 4, 2])
    outputs = {
      'image_embeddings': tf.ones([1, 1, 2]),
      'view_embeddings': tf.concat([other, own], axis=1),
    }
    labels = {
      'roi_cads': tf.constant([[8]]),
      'roi_classes': tf.constant([[1]]),
      'roi_valid': tf.constant([[True]]),
      'pool_cads': tf.constant([[7, 8]]),
      'pool_classes': tf.constant([[1, 1]]),
    }
    self.assertAllClose(
      cad_losses.embedding_loss(outputs, labels, mask2cad.Losses()),
      math.log1p(1.5 * 4 * math.exp(-2.0 / 0.15)),
      rtol=1e-3,
    )

  def test_images_of_the_batch_share_the_pool(self):
    outputs, labels, _, _ = cad_batch.make()
    config = mask2cad.Losses()
    whole = cad_losses.embedding_loss(outputs, labels, config)
    first = cad_losses.embedding_loss(
      {key: value[:1] for key, value in outputs.items()},
      {key: value[:1] for key, value in labels.items()},
      config,
    )
    second = cad_losses.embedding_loss(
      {key: value[1:] for key, value in outputs.items()},
      {key: value[1:] for key, value in labels.items()},
      config,
    )
    self.assertNotAllClose(whole, 0.5 * (first + second), rtol=1e-2)

  def test_mining_fields_are_read(self):
    outputs, labels, _, _ = cad_batch.make()
    hard = mask2cad.Losses(num_hard_positives=1, num_hard_negatives=8)
    self.assertGreater(
      cad_losses.embedding_loss(outputs, labels, hard),
      cad_losses.embedding_loss(outputs, labels, mask2cad.Losses()),
    )

  def test_one_replica_has_the_pool_of_all(self):
    outputs, labels, _, _ = cad_batch.make()
    own, pooled = (
      cad_losses.embedding_loss(
        outputs, labels, mask2cad.Losses(cross_replica_pool=pool)
      )
      for pool in (False, True)
    )
    self.assertAllEqual(own, pooled)

  def test_cross_replica_pool(self):
    # In a process of its own: logical devices are fixed once TensorFlow runs.
    folder = os.path.dirname(os.path.dirname(os.path.dirname(__file__)))
    done = subprocess.run(
      [sys.executable, '-m', 'tests.losses.embedding_loss_test'],
      cwd=folder,
      capture_output=True,
      text=True,
      check=False,
    )
    self.assertEqual(done.returncode, 0, done.stderr[-3000:])


if __name__ == '__main__':
  cross_replica_main()
