"""A small batch of model outputs and training labels for loss tests."""

import numpy as np
import tensorflow as tf

from tests.ops import random_poses

B, Q, C, K, E, P, V = 2, 4, 3, 5, 8, 3, 4


def make(seed=0, num_rois=Q, deltas_per_class=1):
  """(outputs, labels, bins, bins_valid); the first three RoIs are valid."""
  rng = np.random.default_rng(seed)

  def normal(*shape):
    return tf.constant(rng.standard_normal(shape), tf.float32)

  outputs = {
    'pose_bin_logits': normal(B, num_rois, C, K),
    'pose_deltas': normal(B, num_rois, C, deltas_per_class, 4),
    'center_offsets': normal(B, num_rois, C, 2),
    'image_embeddings': normal(B, num_rois, E),
    'view_embeddings': normal(B, P, V, E),
  }

  def pad(rows, fill):
    return tf.constant([row + [fill] * (num_rois - 3) for row in rows])

  labels = {
    'roi_classes': pad([[1, 2, 1], [2, 1, 1]], 0),
    'roi_valid': pad([[True] * 3] * 2, False),
    'roi_rotations': tf.constant(
      random_poses.quaternions(seed + 1, B, num_rois)
    ),
    'roi_symmetries': pad([[1, 2, 0], [4, 1, 1]], 1),
    'roi_center_offsets': normal(B, num_rois, 2),
    'roi_cads': pad([[0, 1, 2], [3, 0, 2]], -1),
    'pool_cads': tf.constant([[0, 1, 2], [3, 0, -1]]),
    'pool_classes': tf.constant([[1, 2, 1], [2, 1, 0]]),
  }
  bins = tf.constant(random_poses.quaternions(seed + 2, C, K))
  bins_valid = tf.constant(np.arange(K) < [[0], [K], [K - 1]])
  return outputs, labels, bins, bins_valid
