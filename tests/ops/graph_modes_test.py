"""Eager = tf.function with unknown leading sizes = inside a tf.data map."""

import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from mask2cad_tf.ops import cameras
from mask2cad_tf.ops import center_offsets
from mask2cad_tf.ops import class_sampling
from mask2cad_tf.ops import contrastive
from mask2cad_tf.ops import hard_mining
from mask2cad_tf.ops import mirror
from mask2cad_tf.ops import pose_bins
from mask2cad_tf.ops import quaternions
from mask2cad_tf.ops import roi_masks
from mask2cad_tf.ops import rotation_symmetry
from tests.ops import random_poses

N, K = 6, 4
RNG = np.random.default_rng(0)
Q = random_poses.quaternions(1, N)
Q2 = random_poses.quaternions(2, N)
MATRICES = np.float32([np.eye(3), np.diag([1, -1, -1]), np.diag([-1, 1, -1])])
BINS = random_poses.quaternions(3, N, K)
BINS_VALID = np.array([[True, True, False, True]] * N)
ORDERS = np.int32([1, 2, 4, 0, 1, 0])
POINTS = random_poses.translations(4, N)
NORMALS = random_poses.unit_vectors(5, N)
CAMERAS = np.tile(random_poses.INTRINSICS, [N, 1])
CENTERS = RNG.uniform(0, 480, [N, 2]).astype(np.float32)
BOXES = np.float32([[2, 3, 9, 11]] * (N - 1) + [[0, 0, 0, 0]])
MASKS = RNG.integers(0, 2, [N, 12, 14]).astype(np.uint8)
SIMILARITY = RNG.standard_normal([N, 8]).astype(np.float32)
POSITIVE = RNG.random([N, 8]) < 0.5
EMBEDDINGS = RNG.standard_normal([N, 8]).astype(np.float32)
VIEWS = RNG.standard_normal([N, 8]).astype(np.float32)
IDS = np.int32([0, 0, 1, 2, 1, -1])
CLASSES = np.int32([1, 1, 1, 2, 1, 0])

# (function, arguments); every argument may lose its static leading size.
OPS = {
  'wxyz_from_xyzw': (quaternions.wxyz_from_xyzw, [Q]),
  'xyzw_from_wxyz': (quaternions.xyzw_from_wxyz, [Q]),
  'multiply': (quaternions.multiply, [Q, Q2]),
  'conjugate': (quaternions.conjugate, [Q]),
  'normalize': (quaternions.normalize, [2.0 * Q]),
  'canonicalize': (quaternions.canonicalize, [Q]),
  'angle': (quaternions.angle, [Q, Q2]),
  'to_matrix': (quaternions.to_matrix, [Q]),
  'from_matrix': (quaternions.from_matrix, [MATRICES]),
  'rotate': (quaternions.rotate, [Q, POINTS]),
  'from_axis_angle': (quaternions.from_axis_angle, [NORMALS, POINTS[:, 0]]),
  'project': (cameras.project, [POINTS, CAMERAS]),
  'unproject': (cameras.unproject, [CENTERS, POINTS[:, 2], CAMERAS]),
  'resize_intrinsics': (cameras.resize_intrinsics, [CAMERAS, CENTERS, CENTERS]),
  'ray_rotation': (cameras.ray_rotation, [CENTERS, CAMERAS]),
  'allocentric_from_camera': (
    cameras.allocentric_from_camera,
    [Q, CENTERS, CAMERAS],
  ),
  'camera_from_allocentric': (
    cameras.camera_from_allocentric,
    [Q, CENTERS, CAMERAS],
  ),
  'flip_rotation': (mirror.flip_rotation, [Q, NORMALS]),
  'flip_translation': (mirror.flip_translation, [POINTS]),
  'flip_intrinsics': (
    lambda cameras: mirror.flip_intrinsics(cameras, 640),
    [CAMERAS],
  ),
  'flip_points': (lambda points: mirror.flip_points(points, 640), [CENTERS]),
  'equivalent_rotations': (rotation_symmetry.equivalent_rotations, [Q, ORDERS]),
  'nearest_equivalent': (rotation_symmetry.nearest_equivalent, [Q, ORDERS, Q2]),
  'symmetric_angle': (rotation_symmetry.symmetric_angle, [Q, Q2, ORDERS]),
  'nearest_bin': (pose_bins.nearest_bin, [Q, BINS, BINS_VALID]),
  'encode_delta': (pose_bins.encode_delta, [Q, Q2]),
  'apply_delta': (pose_bins.apply_delta, [Q, Q2]),
  'center_offsets_encode': (center_offsets.encode, [CENTERS, BOXES]),
  'center_offsets_decode': (center_offsets.decode, [CENTERS, BOXES]),
  'outer_boxes': (
    lambda boxes: roi_masks.outer_boxes(boxes, 1.25, tf.constant([12, 14])),
    [BOXES],
  ),
  'mask_features': (
    lambda features, logits: roi_masks.mask_features(features, logits, True),
    [BINS.reshape(N, 2, 2, 4), BINS[..., 0].reshape(N, 2, 2)],
  ),
  'hardest_positives': (
    lambda similarity, mask: hard_mining.hardest_positives(similarity, mask, 2),
    [SIMILARITY, POSITIVE],
  ),
  'hardest_negatives': (
    lambda similarity, mask: hard_mining.hardest_negatives(similarity, mask, 2),
    [SIMILARITY, POSITIVE],
  ),
  'paste': (
    lambda masks, boxes: roi_masks.paste(
      tf.cast(masks, tf.float32)[..., :12], boxes, (14, 16)
    ),
    [MASKS, BOXES],
  ),
  'cosine_similarity': (
    lambda x, y: contrastive.cosine_similarity(x, y, 0.15),
    [EMBEDDINGS, VIEWS],
  ),
  'pair_nce': (
    lambda similarity, positive: contrastive.pair_nce(
      similarity, positive, ~positive, 1.5
    ),
    [SIMILARITY, POSITIVE],
  ),
  'contrastive_loss': (
    lambda *args: contrastive.contrastive_loss(*args, 0.15, 1.5, 2, 2),
    [EMBEDDINGS, VIEWS, IDS, CLASSES, IDS, CLASSES, IDS >= 0],
  ),
  'repeat_factors': (
    lambda shares: class_sampling.repeat_factors(shares, 0.1),
    [SIMILARITY[0] ** 2],
  ),
  'image_repeat_factor': (
    class_sampling.image_repeat_factor,
    [CLASSES, SIMILARITY[0] ** 2],
  ),
  'stochastic_count': (
    class_sampling.stochastic_count,
    [np.float32(1.5), np.int32([1, 2])],
  ),
}

# Sizes that depend on values, or code outside the graph: no TPU runs them.
BANNED = {
  'Where',
  'Unique',
  'UniqueV2',
  'PyFunc',
  'EagerPyFunc',
  'ListDiff',
  'DynamicPartition',
  'NonMaxSuppressionV3',
  'NonMaxSuppressionV5',
  'CropAndResize',
}


def loosened(value):
  """The argument's signature without its leading size."""
  shape = np.shape(value)
  return tf.TensorSpec(
    (None,) + shape[1:] if shape else (), np.asarray(value).dtype
  )


class GraphModesTest(tf.test.TestCase, parameterized.TestCase):
  @parameterized.parameters(sorted(OPS))
  def test_modes_agree(self, name):
    function, args = OPS[name]
    eager = function(*[tf.constant(value) for value in args])
    graph = tf.function(
      function, input_signature=[loosened(value) for value in args]
    )
    self.assertAllClose(graph(*args), eager, atol=1e-5)
    data = tf.data.Dataset.from_tensors(tuple(args)).map(function)
    self.assertAllClose(next(iter(data)), eager, atol=1e-5)

  @parameterized.parameters(sorted(OPS))
  def test_static_shapes_stay_static(self, name):
    function, args = OPS[name]
    graph = (
      tf.function(function)
      .get_concrete_function(
        *[
          tf.TensorSpec(np.shape(value), np.asarray(value).dtype)
          for value in args
        ]
      )
      .graph
    )
    self.assertEmpty({op.type for op in graph.get_operations()} & BANNED)
    for op in graph.get_operations():
      for output in op.outputs:
        self.assertTrue(output.shape.is_fully_defined(), (op.name, op.type))
