import numpy as np
import pytest
import tensorflow as tf

from mask2cad_tf.data import roi_sampling
from mask2cad_tf.geometry import views
from tests import mask_crop


def _seed(number):
  return tf.constant([number, 3])


@pytest.mark.parametrize('seed', range(4))
@pytest.mark.parametrize(
  ('count', 'limit', 'rois'), [(3, 8, 8), (20, 8, 8), (20, 5, 8), (1, 8, 4)]
)
def test_every_chosen_object_gets_its_share(count, limit, rois, seed):
  chosen, slots = roi_sampling.sample_objects(
    tf.constant(count), limit, rois, _seed(seed)
  )
  different = min(count, limit, rois)
  assert len(set(chosen.numpy())) == len(chosen) == different
  assert set(chosen.numpy()) <= set(range(count))
  shares = np.bincount(slots, minlength=different)
  assert len(slots) == rois
  assert shares.max() - shares.min() <= 1
  assert len(shares) == different


def test_no_object_gives_empty_slots():
  chosen, slots = roi_sampling.sample_objects(tf.constant(0), 8, 4, _seed(0))
  assert chosen.shape == [0]
  np.testing.assert_array_equal(slots, [0, 0, 0, 0])


def test_all_objects_are_chosen_at_some_seed():
  seen = {
    int(roi_sampling.sample_objects(tf.constant(5), 1, 8, _seed(seed))[0])
    for seed in range(40)
  }
  assert seen == set(range(5))


def test_jitter_has_the_scale_and_stays_inside():
  boxes = tf.tile([[40.0, 30.0, 80.0, 90.0]], [4000, 1])
  jittered = roi_sampling.jitter_boxes(
    boxes, 0.05, tf.constant([100.0, 100.0]), _seed(1)
  ).numpy()
  sides = jittered[:, 2:] - jittered[:, :2]
  centers = (jittered[:, 2:] + jittered[:, :2]) / 2
  # Nothing touches the border here: 4 sigma is 0.2 sides = 8 and 12 px.
  np.testing.assert_allclose(
    np.std(centers, axis=0), [0.05 * 40, 0.05 * 60], rtol=0.06
  )
  np.testing.assert_allclose(
    np.std(np.log(sides), axis=0), [0.05, 0.05], rtol=0.06
  )
  np.testing.assert_allclose(centers.mean(axis=0), [60, 60], atol=0.3)


def test_jittered_boxes_are_clipped_and_never_empty():
  boxes = tf.constant([[0.0, 0.0, 100.0, 100.0], [99.0, 0.0, 100.0, 1.0]])
  for seed in range(50):
    jittered = roi_sampling.jitter_boxes(
      boxes, 2.0, tf.constant([100.0, 100.0]), _seed(seed)
    ).numpy()
    assert jittered.min() >= 0 and jittered.max() <= 100
    assert np.all(jittered[:, 2:] > jittered[:, :2])


def test_no_jitter_returns_the_boxes():
  boxes = tf.constant([[1.0, 2.0, 30.0, 40.0]])
  same = roi_sampling.jitter_boxes(
    boxes, 0.0, tf.constant([50.0, 50.0]), _seed(0)
  )
  np.testing.assert_allclose(same, boxes)


def _info(height, width, scale=1.0, offset=(0.0, 0.0), window=(64, 64)):
  return tf.constant(
    [[height, width], window, [scale, scale], offset], tf.float32
  )


def _targets(mask, box, info, size=4, factor=2):
  masks = tf.constant(mask[np.newaxis].astype(np.uint8) * 255)
  coarse, fine = roi_sampling.mask_targets(
    masks, tf.constant([0]), tf.constant([box], tf.float32), info, size, factor
  )
  return coarse[0].numpy(), fine[0].numpy()


def test_box_of_the_mask_s_own_pixels_gives_them_back():
  mask = np.random.default_rng(0).random((20, 30)) < 0.5
  _, fine = _targets(mask, [3, 5, 11, 13], _info(20, 30))
  np.testing.assert_array_equal(fine, mask[3:11, 5:13])


def test_coarse_cells_hold_the_majority_of_four():
  mask = np.zeros((8, 8), bool)
  mask[0, :2] = True  # two of four fine cells of the first coarse cell
  mask[2, 2] = True  # one of four
  coarse, _ = _targets(mask, [0, 0, 8, 8], _info(8, 8))
  expected = np.zeros((4, 4))
  expected[0, 0] = 1.0
  np.testing.assert_array_equal(coarse, expected)


def test_scale_and_offset_are_undone():
  # Network pixels: photo x 2 - (4, 6).
  mask = np.random.default_rng(1).random((20, 30)) < 0.5
  _, fine = _targets(mask, [2, 4, 18, 20], _info(20, 30, 2.0, (4.0, 6.0)))
  np.testing.assert_array_equal(fine, mask[3:11, 5:13])


def test_nothing_outside_the_window_or_the_photo():
  mask = np.ones((20, 30), bool)
  _, fine = _targets(mask, [-4, 0, 4, 8], _info(20, 30))
  np.testing.assert_array_equal(fine[:, 0], [0, 0, 0, 0, 1, 1, 1, 1])
  _, fine = _targets(mask, [0, 26, 8, 34], _info(20, 30))
  np.testing.assert_array_equal(fine[0], [1, 1, 1, 1, 0, 0, 0, 0])
  _, fine = _targets(mask, [0, 6, 8, 14], _info(20, 30, window=(64, 10)))
  np.testing.assert_array_equal(fine[0], [1, 1, 1, 1, 0, 0, 0, 0])


@pytest.mark.parametrize('seed', range(6))
def test_same_samples_as_the_plain_crop(seed):
  rng = np.random.default_rng(seed)
  mask = (rng.random((1, 37, 53)) < 0.5).astype(np.uint8)
  corner = rng.uniform(-10, 30, 2)
  box = np.concatenate([corner, corner + rng.uniform(3, 40, 2)])
  boxes = tf.constant([box], tf.float32)
  expected = mask_crop.crop_masks(mask, boxes, 16)
  _, fine = _targets(mask[0] > 0, box, _info(37, 53, window=(99, 99)), 8)
  unclear = np.abs(expected[0] - 0.5) < 1e-3
  np.testing.assert_array_equal(
    fine[~unclear], (expected[0] >= 0.5).numpy()[~unclear]
  )


def test_slot_behind_the_last_mask_is_empty():
  masks = tf.fill([2, 8, 8], tf.constant(255, tf.uint8))
  _, fine = roi_sampling.mask_targets(
    masks,
    tf.constant([1, 2]),
    tf.tile([[0.0, 0.0, 8.0, 8.0]], [2, 1]),
    _info(8, 8),
    4,
    2,
  )
  assert fine[0].numpy().all() and not fine[1].numpy().any()


def test_masks_decode_and_flip():
  mask = np.random.default_rng(2).integers(0, 2, (5, 7)).astype(np.uint8) * 255
  pngs = tf.constant([views.encode_png(mask), views.encode_png(255 - mask)])
  for flip in (False, True):
    decoded = roi_sampling.decode_masks(pngs, 5, 7, tf.constant(flip)).numpy()
    step = -1 if flip else 1
    np.testing.assert_array_equal(decoded[0], mask[:, ::step])
    np.testing.assert_array_equal(decoded[1], 255 - mask[:, ::step])
  empty = roi_sampling.decode_masks(pngs[:0], 5, 7, tf.constant(True))
  assert empty.shape == [0, 5, 7]
