"""The detector that OpenImages taught: by hand, and on the wheel's photos."""

import numpy as np
import pytest
import tensorflow as tf
from official.vision.ops import preprocess_ops
from scipy.spatial.transform import Rotation

from mask2cad_tf import conventions
from mask2cad_tf import packaged_model
from mask2cad_tf.geometry import box_overlap
from mask2cad_tf.geometry import renderer
from mask2cad_tf.geometry import views
from mask2cad_tf.geometry.furniture import catalogue
from mask2cad_tf.modeling import packed_weights
from mask2cad_tf.modeling.layers import openimages_detector

_NAMES = conventions.PIX3D_CLASSES


@pytest.fixture(scope='module')
def detector():
  layer = openimages_detector.OpenImagesDetector(
    _NAMES, name='openimages_detector'
  )
  layer(tf.zeros([1, 64, 64, 3]), tf.constant([[64, 64]]))
  packed_weights.read_part(
    'openimages_detector', layer, packaged_model.folder()
  )
  return layer


def _silent(class_names=_NAMES):
  """Without weights: every box is its anchor, every probability a half."""
  return openimages_detector.OpenImagesDetector(class_names)


def test_boxes_without_offsets_are_the_anchors():
  boxes, scores = _silent()(tf.zeros([1, 64, 96, 3]), tf.constant([[50, 90]]))
  # 3 anchors on 19^2 cells, 6 on 10^2, 5^2, 3^2, 2^2 and 1.
  assert boxes.shape == (1, 3 * 361 + 6 * (100 + 25 + 9 + 4 + 1), 4)
  np.testing.assert_array_equal(scores, np.full([1, 1917, 3], 0.5))
  # The middle cell of 19 x 19: its centre is the photo's, (25, 45).
  index = 3 * (9 * 19 + 9)
  np.testing.assert_allclose(
    boxes[0, index : index + 3],
    [
      (25 - 2.5, 45 - 4.5, 25 + 2.5, 45 + 4.5),  # scale .1
      # scale .2, twice as wide as high: .2 / sqrt(2) = .1414, .2828
      (25 - 3.5355, 45 - 12.7279, 25 + 3.5355, 45 + 12.7279),
      (25 - 7.0711, 45 - 6.3640, 25 + 7.0711, 45 + 6.3640),
    ],
    atol=1e-3,
  )
  # The last cell, of the whole photo: scale .95, square; what exceeds the
  # photo is cut off: thrice as wide, 1.645 by .548.
  np.testing.assert_allclose(
    boxes[0, -6], (25 - 23.75, 45 - 42.75, 25 + 23.75, 45 + 42.75), atol=1e-3
  )
  np.testing.assert_allclose(
    boxes[0, -3], (25 - 13.7120, 0, 25 + 13.7120, 90), atol=1e-3
  )


def test_offsets_move_a_box_by_its_anchors_size():
  layer = _silent()
  layer(tf.zeros([1, 64, 64, 3]), tf.constant([[64, 64]]))
  # The last map has one cell; its first anchor's four biases.
  offsets = layer.convolutions[-2]
  bias = np.zeros(24, np.float32)
  bias[:4] = 1.0, -2.0, 5 * np.log(0.5), 5 * np.log(0.8)
  offsets.bias.assign(bias)
  boxes, _ = layer(tf.zeros([1, 100, 100, 3]), tf.constant([[100, 100]]))
  # Anchor 95 x 95 around (50, 50): the centre moves by .1 * 1 * 95 and
  # -.1 * 2 * 95, the sides shrink to 47.5 and 76.
  np.testing.assert_allclose(
    boxes[0, -6], (59.5 - 23.75, 0.0, 59.5 + 23.75, 31 + 38), atol=1e-3
  )


def test_the_photo_is_stretched_without_its_padding():
  image = np.zeros([1, 40, 60, 3], np.float32)
  image[:, :30, :60] = preprocess_ops.MEAN_NORM
  image = (image - preprocess_ops.MEAN_NORM) / preprocess_ops.STDDEV_NORM
  resized = openimages_detector._resized(
    tf.constant(image, tf.float32), tf.constant([[30.0, 60.0]])
  )
  # All of it is the mean's colour, in -1..1; the padding was black.
  expected = 2.0 * np.array(preprocess_ops.MEAN_NORM) - 1.0
  np.testing.assert_allclose(
    resized, np.broadcast_to(expected, [1, 300, 300, 3]), atol=1e-6
  )


@pytest.mark.parametrize(
  'names, classes',
  [
    (conventions.PIX3D_CLASSES, (3, 4, 7)),  # chair, desk, table
    (conventions.SCANNET_CLASSES, (5, 6, 8)),  # chair, display, table
    (('table', 'cup', 'chair'), (1, 3)),
  ],
)
def test_classes_are_those_of_the_model(names, classes):
  layer = _silent(names)
  assert layer.classes == classes
  assert [names[i - 1] in conventions.OPENIMAGES_CLASSES for i in classes]
  _, scores = layer(tf.zeros([1, 32, 32, 3]), tf.constant([[32, 32]]))
  assert scores.shape[-1] == len(classes)


def test_scores_follow_their_class(detector):
  """Columns are gathered by name, whatever the model's order of classes."""
  image = tf.random.stateless_normal([1, 64, 64, 3], [1, 2])
  shape = tf.constant([[64, 64]])
  _, scores = detector(image, shape)  # chair, desk, table
  twin = openimages_detector.OpenImagesDetector(['table', 'mug', 'chair'])
  twin(image, shape)
  twin.set_weights(detector.get_weights())
  _, other = twin(image, shape)
  np.testing.assert_allclose(other, scores.numpy()[..., [2, 0]], atol=1e-6)


@pytest.mark.parametrize(
  'cad_id', ['chair/dining_bentwood_cone', 'table/coffee_rect_square_shelf']
)
def test_furniture_is_found_for_what_it_is(detector, cad_id):
  """The shipped weights, on a picture of ours."""
  mesh = catalogue.build(cad_id)
  # Y and Z turn over; its front 30 degrees to the side, seen from above.
  turned = Rotation.from_euler('xy', [195.0, 210.0], degrees=True).as_matrix()
  size = 320
  camera = views.canonical_camera(mesh.vertices, turned, size, fill=0.6)
  rendering = renderer.Renderer(mesh).render(turned, *camera, size, size)
  picture = np.where(rendering.mask, 0.6 * rendering.shaded, 0.85)
  picture = np.repeat(picture[..., np.newaxis], 3, axis=-1)
  image = (picture - preprocess_ops.MEAN_NORM) / preprocess_ops.STDDEV_NORM
  boxes, scores = detector(
    tf.constant(image[np.newaxis], tf.float32), tf.constant([[size, size]])
  )
  rows, columns = np.nonzero(rendering.mask)
  truth = [rows.min(), columns.min(), rows.max() + 1, columns.max() + 1]
  best, column = np.unravel_index(scores[0].numpy().argmax(), scores[0].shape)
  assert _NAMES[detector.classes[column] - 1] == cad_id.split('/')[0]
  assert scores[0, best, column] > 0.1
  assert box_overlap.box_iou(boxes[0, best : best + 1], [truth])[0, 0] > 0.7


def test_nothing_is_trained(detector):
  assert not detector.trainable_variables
  assert len(detector.variables) == 2 * 72
