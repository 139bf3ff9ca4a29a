import math
import os
import subprocess
import sys

import numpy as np
import tensorflow as tf

from mask2cad_tf.configs import mask2cad
from mask2cad_tf.losses import cad_losses
from tests.losses import cad_batch


def without_replicas(outputs, labels, config, other_outputs, other_labels):
  """The loss of one replica's RoIs with the other's pool written after it."""

  def join(a, b, key):
    return tf.concat([a[key], b[key]], axis=0)

  pool = {
    key: join(labels, other_labels, key)
    for key in ('pool_cads', 'pool_classes')
  }
  views = join(outputs, other_outputs, 'view_embeddings')
  return cad_losses.embedding_loss(
    {**outputs, 'view_embeddings': views}, {**labels, **pool}, config
  )


def cross_replica_main():
  """Two logical CPUs: the pool of both must serve the RoIs of each."""
  cpu = tf.config.list_physical_devices('CPU')[0]
  tf.config.set_logical_device_configuration(
    cpu, [tf.config.LogicalDeviceConfiguration()] * 2
  )
  strategy = tf.distribute.MirroredStrategy(['CPU:0', 'CPU:1'])
  config = mask2cad.Losses(cross_replica_pool=True)
  cases = [cad_batch.make(seed)[:2] for seed in (0, 5)]

  def place(key, part):
    return strategy.experimental_distribute_values_from_function(
      lambda context: cases[context.replica_id_in_sync_group][part][key]
    )

  inputs = [
    {key: place(key, part) for key in cases[0][part]} for part in (0, 1)
  ]

  @tf.function
  def step(outputs, labels):
    def replica(outputs, labels):
      views = outputs['view_embeddings']
      with tf.GradientTape() as tape:
        tape.watch(views)
        loss = cad_losses.embedding_loss(outputs, labels, config)
      return loss, tape.gradient(loss, views)

    return strategy.run(replica, (outputs, labels))

  losses, gradients = step(*inputs)
  local = mask2cad.Losses()
  views = [outputs['view_embeddings'] for outputs, _ in cases]
  with tf.GradientTape() as tape:
    tape.watch(views)
    expected = [
      without_replicas(*cases[i], local, *cases[1 - i]) for i in (0, 1)
    ]
    total = tf.add_n(expected)
  # A view serves the anchors of both replicas, and learns from both.
  for found, wanted in zip(
    strategy.experimental_local_results(losses), expected
  ):
    np.testing.assert_allclose(found, wanted, rtol=1e-5)
  for found, wanted in zip(
    strategy.experimental_local_results(gradients), tape.gradient(total, views)
  ):
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-6)
  alone = cad_losses.embedding_loss(*cases[0], local)
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
