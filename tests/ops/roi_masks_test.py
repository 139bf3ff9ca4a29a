import numpy as np
import tensorflow as tf
from absl.testing import parameterized
from official.vision.ops import box_ops

from mask2cad_tf.ops import roi_masks
from mask2cad_tf.retrieval import view_silhouettes
from mask2cad_tf.scene import masks
from tests import mask_crop


class RoiMasksTest(tf.test.TestCase, parameterized.TestCase):
  def test_outer_box_by_hand(self):
    # 40 x 80 grows by 1.25 to 50 x 100 about the same centre.
    self.assertAllClose(
      roi_masks.outer_boxes(tf.constant([10.0, 20, 50, 100]), 1.25),
      [5, 10, 55, 110],
    )

  def test_outer_boxes_as_model_garden(self):
    rng = np.random.default_rng(0)
    low = rng.uniform(0, 100, [2, 5, 2])
    boxes = np.concatenate(
      [low, low + rng.uniform(1, 60, [2, 5, 2])], -1
    ).astype(np.float32)
    self.assertAllClose(
      roi_masks.outer_boxes(boxes, 1.25, tf.constant([120, 130])),
      box_ops.compute_outer_boxes(boxes, [120, 130], 1.25),
      atol=1e-4,
    )

  def test_image_shapes_of_a_batch(self):
    boxes = tf.tile(tf.constant([[[0.0, 0, 100, 100]]]), [2, 3, 1])
    shapes = tf.constant([[90, 80], [200, 110]])
    clipped = roi_masks.outer_boxes(boxes, 1.5, shapes[:, tf.newaxis])
    self.assertAllClose(clipped[:, 0], [[0, 0, 90, 80], [0, 0, 125, 110]])

  def test_square_outer_boxes(self):
    # 40 x 80 about (30, 60): both sides 1.25 * 80 = 100.
    box = tf.constant([[10.0, 20, 50, 100], [20.0, 10, 100, 50]])
    self.assertAllClose(
      roi_masks.outer_boxes(box, 1.25, square=True),
      [[-20, 10, 80, 110], [10, -20, 110, 80]],
    )
    self.assertAllClose(  # clipped to 60 x 105
      roi_masks.outer_boxes(box[0], 1.25, tf.constant([60, 105]), True),
      [0, 10, 60, 105],
    )

  def test_silhouette_by_hand(self):
    # Cells of 2 x 4 pixels about (1, 1); the right ones are the object: rows 1
    # to 5, columns 5 to 9. Both sides 4; a frame of 2: rows -1 to 7, columns 3
    # to 11; cells of 4 pixels each have a quarter of the object.
    mask = tf.constant([[0.0, 1.0], [0.0, 1.0]])
    outer = tf.constant([1.0, 1, 5, 9])
    self.assertAllClose(
      roi_masks.silhouettes(mask, outer, 2, 2.0), [[0.25] * 2] * 2
    )
    # In 8 cells of one pixel: rows 2 to 5 and columns 2 to 5 of the frame.
    expected = np.zeros([8, 8])
    expected[2:6, 2:6] = 1.0
    self.assertAllClose(
      roi_masks.silhouettes(mask, outer, 8, 2.0), expected, atol=1e-6
    )

  def test_silhouettes_of_nothing(self):
    boxes = tf.constant([[1.0, 1, 5, 9], [0, 0, 0, 0]])
    self.assertAllEqual(
      roi_masks.silhouettes(tf.zeros([2, 4, 4]), boxes, 8, 1.25),
      tf.zeros([2, 8, 8]),
    )

  @parameterized.parameters(range(4))
  def test_silhouettes_are_those_of_the_photos_masks(self, seed):
    rng = np.random.default_rng(seed)
    low, side = rng.uniform(0, 60, 2), rng.uniform(80, 140, 2)
    outer = np.concatenate([low, low + side]).astype(np.float32)
    probabilities = np.zeros([48, 48], np.float32)
    for _ in range(3):
      y, x = rng.integers(4, 30, 2)
      probabilities[y : y + 14, x : x + 10] = 1.0
    pasted = masks.paste(probabilities, outer, 220, 220)
    found = roi_masks.silhouettes(probabilities, tf.constant(outer), 8, 1.25)
    expected, _ = view_silhouettes.of_mask(pasted)
    expected = expected.reshape(8, 4, 8, 4).mean((1, 3))
    self.assertAllClose(found, expected, atol=0.15)  # a pixel: 1/12 of a cell
    self.assertLess(np.abs(found - expected).mean(), 0.02)

  def test_paste_by_hand(self):
    # The box from (1, 1) to (3, 5) in 4 x 6 pixels: cells are 2 pixels wide,
    # their centres at x = 2 and 4. Pixel centres at 1.5, 2.5, 3.5, 4.5: before
    # the first, 1/4 and 3/4 of the way to the second, behind it.
    pasted = roi_masks.paste(
      tf.constant([[1.0, 0.0], [1.0, 0.0]]), tf.constant([1.0, 1, 3, 5]), (4, 6)
    )
    row = [0, 1, 0.75, 0.25, 0, 0]
    self.assertAllClose(pasted, [[0] * 6, row, row, [0] * 6])

  @parameterized.parameters(range(4))
  def test_paste_is_the_scenes(self, seed):
    rng = np.random.default_rng(seed)
    probabilities = rng.random([2, 3, 9, 9], np.float32)
    low = rng.uniform(-20, 40, [2, 3, 2])  # some boxes leave the image
    outer = np.concatenate(
      [low, low + rng.uniform(0.2, 60, [2, 3, 2])], axis=-1
    )
    pasted = roi_masks.paste(
      probabilities, tf.constant(outer, tf.float32), (40, 50)
    )
    for i in np.ndindex(2, 3):
      self.assertAllClose(
        pasted[i],
        masks.paste_probabilities(probabilities[i], outer[i], 40, 50),
        atol=1e-3,
      )

  def test_mask_box_by_hand(self):
    # Cells of 2 x 3 pixels: rows 1 and 2, columns 0 to 2 of 4, so y from 2 + 2
    # to 2 + 6 and x from 5 to 5 + 9. IoU with the box (3, 5, 9, 15):
    # 4 * 9 / (36 + 60 - 36) = .6.
    mask = np.full([4, 4], 0.4, np.float32)
    mask[1, :3] = mask[2, 1] = 0.6
    outer = tf.constant([2.0, 5, 10, 17])
    box = tf.constant([3.0, 5, 9, 15])
    self.assertAllClose(roi_masks.mask_boxes(mask, outer, box), [4, 5, 8, 14])
    # One cell alone: 6 of 60 square pixels, no mask to trust; nor an empty one.
    for wrong in (np.where(np.eye(4) * [0, 1, 0, 0] > 0, 0.9, 0.0), 0 * mask):
      self.assertAllClose(
        roi_masks.mask_boxes(tf.constant(wrong, tf.float32), outer, box), box
      )

  def test_mask_boxes_undo_outer_boxes(self):
    # 1 / 1.25 of 80 cells: cells 8 to 71.
    mask = np.zeros([80, 80], np.float32)
    mask[8:72, 8:72] = 1.0
    boxes = tf.constant([[[3.0, 4, 33, 44], [0.0, 0, 10, 20]]])
    outer = roi_masks.outer_boxes(boxes, 1.25)
    found = tf.function(roi_masks.mask_boxes)(
      np.tile(mask, [1, 2, 1, 1]), outer, boxes
    )
    self.assertAllClose(found, boxes, atol=1e-4)

  def test_a_square_stays_one(self):
    box = tf.constant([3.0, 5, 11, 13])
    self.assertAllClose(
      roi_masks.outer_boxes(box, 1.5, square=True),
      roi_masks.outer_boxes(box, 1.5),
    )

  def test_pool_by_hand(self):
    # Windows of 0..15 in rows of four: (0 + 1 + 4 + 5) / 4 = 2.5, then +2, +8.
    crops = tf.reshape(tf.range(32.0), [1, 2, 4, 4, 1])
    pooled = roi_masks.pool(crops, 2)
    self.assertAllClose(
      pooled[0, :, :, :, 0],
      [[[2.5, 4.5], [10.5, 12.5]], [[18.5, 20.5], [26.5, 28.5]]],
    )
    self.assertAllEqual(roi_masks.pool(crops, 1), crops)

  def test_pool_keeps_static_shapes(self):
    pool = tf.function(
      lambda x: roi_masks.pool(x, 4),
      input_signature=[tf.TensorSpec([None, 3, 8, 8, 5])],
    )
    shape = pool.get_concrete_function().structured_outputs.shape
    self.assertEqual(shape.as_list(), [None, 3, 2, 2, 5])
    self.assertAllClose(
      pool(tf.ones([2, 3, 8, 8, 5])), tf.ones([2, 3, 2, 2, 5])
    )

  def test_scale_below_one_is_refused(self):
    with self.assertRaisesRegex(ValueError, 'roi.outer_box_scale'):
      roi_masks.outer_boxes(tf.zeros([4]), 0.9)

  def test_whole_image_at_its_own_size_is_the_mask(self):
    mask = np.random.default_rng(0).integers(0, 2, [3, 8, 8]).astype(np.uint8)
    boxes = tf.tile(tf.constant([[0.0, 0, 8, 8]]), [3, 1])
    self.assertAllClose(mask_crop.crop_masks(mask, boxes, 8), mask)

  def test_pixel_aligned_crop(self):
    mask = np.random.default_rng(1).random([1, 9, 12]).astype(np.float32)
    crop = mask_crop.crop_masks(mask, tf.constant([[2.0, 5, 6, 9]]), 4)
    self.assertAllClose(crop, mask[:, 2:6, 5:9])

  def test_bilinear_by_hand(self):
    # Cell centres of a 2-cell crop of [1, 3] lie at 1.5 and 2.5, on pixels 1
    # and 2; of [0.5, 2.5] at 1 and 2, half way between pixel centres.
    mask = tf.constant([[[0.0, 4.0, 8.0, 16.0]] * 4])
    self.assertAllClose(
      mask_crop.crop_masks(mask, tf.constant([[0.0, 1, 2, 3]]), 2)[0, 0], [4, 8]
    )
    self.assertAllClose(
      mask_crop.crop_masks(mask, tf.constant([[0.0, 0.5, 2, 2.5]]), 2)[0, 0],
      [2, 6],
    )

  def test_outside_the_image_is_empty(self):
    # The box is twice the image, about it: only the middle half is inside.
    crop = mask_crop.crop_masks(
      tf.ones([1, 4, 4]), tf.constant([[-2.0, -2, 6, 6]]), 8
    )
    expected = np.zeros([1, 8, 8])
    expected[:, 2:6, 2:6] = 1.0
    self.assertAllEqual(crop, expected)

  def test_full_masks_stay_full_at_the_border(self):
    crop = mask_crop.crop_masks(
      tf.ones([1, 10, 10], tf.uint8), tf.constant([[0.0, 0, 10, 10]]), 32
    )
    self.assertAllEqual(crop, np.ones([1, 32, 32]))

  def test_padding_box_samples_the_corner(self):
    crop = mask_crop.crop_masks(tf.ones([1, 4, 4]), tf.zeros([1, 4]), 4)
    self.assertAllEqual(crop, np.ones([1, 4, 4]))

  @parameterized.parameters(True, False)
  def test_mask_features(self, stop_gradient):
    features = tf.constant(np.random.default_rng(0).random([2, 3, 4, 4, 5]))
    features = tf.cast(features, tf.float32)
    logits = tf.zeros([2, 3, 4, 4])
    with tf.GradientTape() as tape:
      tape.watch([features, logits])
      product = roi_masks.mask_features(features, logits, stop_gradient)
    # sigmoid(0) = 0.5
    self.assertAllClose(product, 0.5 * features)
    to_features, to_logits = tape.gradient(product, [features, logits])
    self.assertAllClose(to_features, 0.5 * np.ones([2, 3, 4, 4, 5]))
    self.assertEqual(to_logits is None, stop_gradient)
