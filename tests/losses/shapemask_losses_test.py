import math

import numpy as np
import tensorflow as tf
from official.legacy.detection.modeling import losses as legacy_losses

from mask2cad_tf.losses import shapemask_losses


def half_masks_case(invalid_logit):
  """4 RoIs of 8x8, the first two valid; every mask is half ones.

  A constant logit a on a half mask costs softplus(a) - a / 2 = ln(2 cosh(a/2))
  per pixel on average.
  """
  target = np.zeros([1, 4, 8, 8], np.float32)
  target[:, :, :4] = 1.0
  logits = np.full([1, 4, 8, 8], 0.9875, np.float32)
  logits[:, 2:] = invalid_logit
  return logits, target, np.array([[True, True, False, False]])


class ShapemaskLossesTest(tf.test.TestCase):
  def test_invalid_rois_do_not_leak_into_the_mask_loss(self):
    # Valid RoIs cost ln(2 cosh 0.49375) = 0.810 a pixel, invalid ones
    # ln(2 cosh 0.364) = 0.758. Intended: 0.810. The legacy loss averages each
    # row of 8, sums rows of all four RoIs, multiplies by the two valid ones and
    # divides by the 4 * 32 ones of all targets:
    # 2 * (2 * 8 * 0.810 + 2 * 8 * 0.758) / 128 = 0.392.
    logits, target, valid = half_masks_case(invalid_logit=0.728)
    self.assertAllClose(math.log(2 * math.cosh(0.49375)), 0.810, atol=5e-4)
    self.assertAllClose(math.log(2 * math.cosh(0.364)), 0.758, atol=5e-4)
    ours = shapemask_losses.coarse_mask_loss(logits, target, valid)
    legacy = legacy_losses.ShapemaskLoss()(
      tf.constant(logits), tf.constant(target), tf.constant(valid)
    )
    self.assertAllClose(ours, 0.810, atol=5e-4)
    self.assertAllClose(legacy, 0.392, atol=5e-4)

  def test_only_the_legacy_loss_sees_invalid_logits(self):
    near, far = half_masks_case(0.728), half_masks_case(9.0)
    self.assertEqual(
      shapemask_losses.fine_mask_loss(*near),
      shapemask_losses.fine_mask_loss(*far),
    )
    legacy = [
      legacy_losses.ShapemaskLoss()(*[tf.constant(value) for value in case])
      for case in (near, far)
    ]
    self.assertGreater(legacy[1] - legacy[0], 0.5)

  def test_prior_loss_by_hand(self):
    # Valid RoI: errors 0.5, 0.5, 0, 1: (0.25 + 0.25 + 0 + 1) / 4 = 0.375.
    prior = tf.constant([[[[0.5, 0.5], [0.0, 0.0]], [[9.0, 9.0], [9.0, 9.0]]]])
    target = tf.constant([[[[1.0, 0.0], [0.0, 1.0]], [[0.0, 0.0], [0.0, 0.0]]]])
    valid = tf.constant([[True, False]])
    self.assertAllClose(
      shapemask_losses.prior_mask_loss(prior, target, valid), 0.375
    )

  def test_finite_at_extreme_logits(self):
    logits = tf.constant([[[[1e4, -1e4], [1e4, -1e4]]]])
    target = tf.constant([[[[1.0, 0.0], [0.0, 1.0]]]])
    # Two right: 0; two wrong: 1e4 each.
    self.assertAllClose(
      shapemask_losses.coarse_mask_loss(logits, target, tf.constant([[True]])),
      5e3,
    )

  def test_zero_without_valid_rois(self):
    logits, target, valid = half_masks_case(0.728)
    none = np.zeros_like(valid)
    for loss in (
      shapemask_losses.prior_mask_loss,
      shapemask_losses.coarse_mask_loss,
      shapemask_losses.fine_mask_loss,
    ):
      self.assertEqual(loss(logits, target, none), 0.0)
