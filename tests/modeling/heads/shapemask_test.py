"""ShapeMask's heads: equal to the authors' own, and to hand arithmetic."""

import numpy as np
import pytest
import tensorflow as tf
from official.legacy.detection.modeling.architecture import heads as legacy
from official.vision.modeling.layers import roi_aligner

from mask2cad_tf.modeling.heads import shapemask

# B images, N RoIs, C classes, K priors, M cells, F filters.
B, N, C, K, M, F = 2, 3, 4, 5, 8, 6
UPSAMPLE, CONVS = 4, 2
_MASK_ARGUMENTS = {
  'num_classes': C,
  'num_downsample_channels': F,
  'mask_crop_size': M,
  'use_category_for_mask': True,
}


def _inputs(seed=0):
  rng = np.random.default_rng(seed)
  corners = rng.uniform(10, 40, [B, N, 2])
  boxes = np.concatenate([corners, corners + rng.uniform(9, 15, [B, N, 2])], -1)
  center = (boxes[..., :2] + boxes[..., 2:]) / 2
  half = 1.25 * (boxes[..., 2:] - boxes[..., :2]) / 2
  outer = np.concatenate([center - half, center + half], -1)
  return {
    'features': {
      str(level): rng.normal(size=[B, 64 >> level, 64 >> level, 7])
      for level in (3, 4, 5)
    },
    'boxes': boxes,
    'outer_boxes': outer,
    'classes': rng.integers(0, C, [B, N]).astype('int32'),
    'mask_features': rng.normal(size=[B, N, M, M, F]),
    'prior_masks': rng.uniform(size=[B, N, M, M]),
    'mask_logits': rng.normal(size=[B, N, M, M]),
  }


def _run_legacy(build, seed=0):
  """Outputs and variables (name to value) of a head, run as a v1 graph."""
  rng = np.random.default_rng(seed)
  with tf.Graph().as_default(), tf.compat.v1.Session() as session:
    outputs = build()
    values = {}
    for variable in tf.compat.v1.global_variables():
      value = 0.3 * rng.normal(size=variable.shape)
      if 'moving_variance' in variable.name or 'gamma' in variable.name:
        value = 0.5 + np.abs(value)
      variable.load(value, session)
      values[variable.name] = value
    return session.run(outputs), values


def _weights(values, layer):
  """Values of one legacy layer, in Keras' order; `layer` ends a scope."""
  found = [v for name, v in values.items() if f'{layer}/' in name]
  assert found, f'{layer} is not among {sorted(values)}'
  return found


def _constant(array):
  return tf.constant(array, tf.int32 if array.dtype.kind == 'i' else tf.float32)


def test_prior_head_equals_the_legacy_head(tmp_path):
  x = _inputs()
  priors = np.random.default_rng(1).uniform(size=[C, K, M, M])
  path = str(tmp_path / 'priors.npy')
  np.save(path, priors)

  def build():
    head = legacy.ShapemaskPriorHead(
      C, F, M, use_category_for_mask=True, shape_prior_path=path
    )
    features = {int(k): _constant(v) for k, v in x['features'].items()}
    rois = [_constant(x[k]) for k in ('boxes', 'outer_boxes', 'classes')]
    return head(features, *rois, is_training=False)

  (features, masks), values = _run_legacy(build)
  ours = shapemask.ShapePriorHead(C, K, M, F)
  roi_features = roi_aligner.MultilevelROIAligner(M)(
    {k: _constant(v) for k, v in x['features'].items()},
    _constant(x['outer_boxes']),
  )
  arguments = [
    roi_features,
    *(_constant(x[k]) for k in ('boxes', 'outer_boxes', 'classes')),
  ]
  ours(*arguments)
  ours.priors.assign(priors)
  ours._project.set_weights(_weights(values, 'shape-prior-fc')[:2])
  ours._classify.set_weights(_weights(values, 'classify-shape-prior-fc'))
  our_features, our_masks = ours(*arguments)
  np.testing.assert_allclose(our_features, features, atol=1e-4)
  np.testing.assert_allclose(our_masks, masks, atol=1e-4)
  assert np.ptp(masks) > 0.1


def _copy_decoder(head, values, prefix, embed, class_norm):
  head._embed_mask.set_weights(_weights(values, embed))
  for i in range(CONVS):
    head._convs[i].set_weights(_weights(values, f'{prefix}-class-{i}'))
    head._norms[i].set_weights(_weights(values, class_norm.format(i)))
  head._predict.set_weights(_weights(values, f'{prefix}-class-predict'))


@pytest.mark.parametrize('training', [False, True])
def test_coarse_head_equals_the_legacy_head(training):
  x = _inputs()
  arrays = [x['mask_features'], x['prior_masks'], x['classes']]

  def build():
    head = legacy.ShapemaskCoarsemaskHead(**_MASK_ARGUMENTS, num_convs=CONVS)
    return head(*map(_constant, arrays), is_training=training)

  logits, values = _run_legacy(build)
  ours = shapemask.CoarseMaskHead(C, F, CONVS)
  ours(*map(_constant, arrays))
  _copy_decoder(
    ours, values, 'coarse-mask', 'coarse-mask-fc', 'coarse-mask-class-{}-bn'
  )
  our_logits = ours(*map(_constant, arrays), training=training)
  np.testing.assert_allclose(our_logits, logits, atol=1e-4)
  assert np.ptp(logits) > 0.1


@pytest.mark.parametrize('training', [False, True])
def test_fine_head_equals_the_legacy_head(training):
  x = _inputs()
  arrays = [x['mask_features'], x['mask_logits'], x['classes']]

  def build():
    head = legacy.ShapemaskFinemaskHead(
      **_MASK_ARGUMENTS, num_convs=CONVS, upsample_factor=UPSAMPLE
    )
    return head(*map(_constant, arrays), is_training=training)

  logits, values = _run_legacy(build)
  ours = shapemask.FineMaskHead(C, F, CONVS, upsample_factor=UPSAMPLE)
  ours(*map(_constant, arrays))
  _copy_decoder(
    ours, values, 'fine-mask', 'fine-mask-fc', 'fine-mask-class-{}-bn'
  )
  ours._transposed_conv.set_weights(_weights(values, 'fine-mask-conv2d-tran'))
  our_logits = ours(*map(_constant, arrays), training=training)
  assert our_logits.shape == [B, N, UPSAMPLE * M, UPSAMPLE * M]
  np.testing.assert_allclose(our_logits, logits, atol=1e-4)
  assert np.ptp(logits) > 0.1


def test_prior_mask_fills_the_box_inside_the_outer_box():
  # All priors 1: whatever the weights, the box is 1 and its margin 0. The
  # outer box is twice as large, so the box covers its middle half.
  head = shapemask.ShapePriorHead(C, K, M, F)
  box = tf.constant([[[10.0, 10.0, 20.0, 20.0]]])
  outer = tf.constant([[[5.0, 5.0, 25.0, 25.0]]])
  arguments = [tf.ones([1, 1, M, M, 3]), box, outer, tf.constant([[2]])]
  head(*arguments)
  head.priors.assign(tf.ones_like(head.priors))
  _, masks = head(*arguments)
  inside = masks[0, 0, M // 4 + 1 : 3 * M // 4 - 1, M // 2]
  np.testing.assert_allclose(inside, 1.0, atol=1e-5)
  np.testing.assert_allclose(masks[0, 0, 0], 0.0, atol=1e-6)


def test_priors_are_saved_and_not_trained(tmp_path):
  head = shapemask.ShapePriorHead(C, K, M, F)
  x = _inputs()
  rois = [_constant(x[k]) for k in ('boxes', 'outer_boxes', 'classes')]
  head(tf.ones([B, N, M, M, 3]), *rois)
  assert all(head.priors is not v for v in head.trainable_variables)
  head.priors.assign(tf.fill(head.priors.shape, 0.25))
  path = tf.train.Checkpoint(head=head).save(str(tmp_path / 'ckpt'))
  other = shapemask.ShapePriorHead(C, K, M, F)
  other(tf.ones([B, N, M, M, 3]), *rois)
  tf.train.Checkpoint(head=other).restore(path)
  assert np.all(other.priors.numpy() == 0.25)


def test_empty_foreground_is_finite():
  head = shapemask.FineMaskHead(C, F, 1, upsample_factor=1)
  logits = head(
    tf.ones([1, 1, M, M, F]), tf.fill([1, 1, M, M], -9.0), tf.constant([[1]])
  )
  assert np.isfinite(logits).all()


def test_dynamic_batch_and_rois_in_a_function():
  x = _inputs()
  prior = shapemask.ShapePriorHead(C, K, M, F)
  coarse = shapemask.CoarseMaskHead(C, F, 1)
  fine = shapemask.FineMaskHead(C, F, 1, upsample_factor=2)

  def run(features, boxes, outer, classes):
    mask_features, masks = prior(features, boxes, outer, classes)
    logits = coarse(mask_features, masks, classes)
    return fine(mask_features, logits, classes)

  rng = np.random.default_rng(0)
  features = _constant(rng.normal(size=[B, N, M, M, 3]))
  rois = [_constant(x[k]) for k in ('boxes', 'outer_boxes', 'classes')]
  eager = run(features, *rois)
  prior.priors.assign(rng.uniform(size=prior.priors.shape))
  eager = run(features, *rois)
  traced = tf.function(
    run,
    input_signature=[
      tf.TensorSpec([None, None, M, M, 3]),
      tf.TensorSpec([None, None, 4]),
      tf.TensorSpec([None, None, 4]),
      tf.TensorSpec([None, None], tf.int32),
    ],
  )
  np.testing.assert_allclose(traced(features, *rois), eager, atol=1e-5)
  one = traced(features[:1, :2], *(r[:1, :2] for r in rois))
  np.testing.assert_allclose(one, eager[:1, :2], atol=1e-5)
