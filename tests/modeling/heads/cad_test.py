"""CAD heads: Tables 6-8, the bias, the norms."""

import numpy as np
import pytest
import tensorflow as tf

from mask2cad_tf.modeling.heads import cad

B, N, M, FPN, C, K = 2, 3, 8, 12, 4, 5
_TRUNK = {'num_filters': 16, 'num_convs': 2}


def _features(seed=0, batch=B):
  rng = np.random.default_rng(seed)
  return tf.constant(rng.normal(size=[batch, N, M, M, FPN]), tf.float32)


def _heads(**trunk):
  trunk = {**_TRUNK, **trunk}
  return {
    'embedding': (cad.EmbeddingHead(7, trunk=trunk), (7,)),
    'pose_bin': (cad.PoseBinHead(C, K, trunk=trunk), (C, K)),
    'pose_delta': (cad.PoseDeltaHead(C, trunk=trunk), (C, 1, 4)),
    'delta_per_bin': (cad.PoseDeltaHead(C, K, trunk=trunk), (C, K, 4)),
    'center': (cad.CenterHead(C, trunk=trunk), (C, 2)),
  }


@pytest.mark.parametrize('name', list(_heads()))
def test_output_shape(name):
  head, shape = _heads()[name]
  assert head(_features()).shape == (B, N, *shape)


@pytest.mark.parametrize('final_activation', [True, False])
def test_trunk_by_hand(final_activation):
  # One 3x3 convolution whose centre tap negates channel 0: on an RoI half +2,
  # half -4 it gives -2 and 4. Untrained batch norm divides by sqrt(1 + eps).
  # Mean with ReLU: (0 + 4) / 2 = 2; without: (-2 + 4) / 2 = 1.
  trunk = cad.RoiConvTrunk(
    1, 1, final_activation=final_activation, norm_epsilon=0.21
  )
  x = np.full([1, 1, 4, 4, 1], 2.0, np.float32)
  x[:, :, 2:] = -4.0
  trunk(x)
  kernel = np.zeros([3, 3, 1, 1])
  kernel[1, 1] = -1.0
  trunk._convs[0].set_weights([kernel, np.zeros(1)])
  expected = (2.0 if final_activation else 1.0) / 1.1  # sqrt(1.21)
  np.testing.assert_allclose(trunk(x), [[[expected]]], rtol=1e-5)


@pytest.mark.parametrize('num_deltas', [1, K])
def test_deltas_start_at_the_papers_bias(num_deltas):
  head = cad.PoseDeltaHead(C, num_deltas, trunk=_TRUNK)
  head(_features())
  bias = head._linear.bias.numpy().reshape(C, num_deltas, 4)
  expected = np.broadcast_to([0.95, 0.0, 0.0, 0.0], bias.shape)
  np.testing.assert_allclose(bias, expected, rtol=1e-6)
  # And the head's first outputs are near it: close to the identity rotation.
  outputs = head(_features()).numpy()
  np.testing.assert_allclose(
    outputs, np.broadcast_to([0.95, 0, 0, 0], outputs.shape), atol=0.05
  )


def test_embedding_has_both_signs():
  # The last ReLU is dropped; with it no number would be negative.
  embeddings = cad.EmbeddingHead(32, trunk=_TRUNK)(_features()).numpy()
  assert (embeddings < 0).mean() > 0.2
  assert (embeddings > 0).mean() > 0.2


@pytest.mark.parametrize('name', list(_heads()))
def test_group_norm_needs_no_statistics(name):
  head, _ = _heads(norm='group_norm')[name]
  trained = head(_features(), training=True)
  np.testing.assert_allclose(trained, head(_features(), training=False))


@pytest.mark.parametrize('name', list(_heads()))
def test_batch_norm_agrees_once_statistics_settle(name):
  head, _ = _heads(norm='batch_norm', norm_momentum=0.2)[name]
  before = head(_features(), training=False)
  for _ in range(20):
    trained = head(_features(), training=True)
  # Moving variances are unbiased: n / (n - 1) with n = B * N * M * M = 384.
  after = head(_features(), training=False)
  gap = np.abs(after - trained).max() / np.ptp(trained)
  assert gap < 1e-2
  assert np.abs(before - trained).max() > 10 * np.abs(after - trained).max()


def test_a_roi_does_not_see_its_neighbours_under_group_norm():
  head, _ = _heads(norm='group_norm')['embedding']
  x = _features()
  np.testing.assert_allclose(
    head(x)[1:, 2:], head(x[1:, 2:]), rtol=1e-4, atol=1e-5
  )


def test_sync_batch_norm_is_synchronised():
  trunk = cad.RoiConvTrunk(16, 1, norm='sync_batch_norm')
  trunk(_features())
  assert trunk._norms[0].synchronized


def test_unknown_norm_is_named():
  with pytest.raises(ValueError, match="batch_norm.*found 'layer_norm'"):
    cad.RoiConvTrunk(16, 1, norm='layer_norm')(_features())


def test_dynamic_batch_in_a_function():
  head, _ = _heads()['pose_delta']
  eager = head(_features(batch=3))
  traced = tf.function(
    head, input_signature=[tf.TensorSpec([None, N, M, M, FPN])]
  )
  np.testing.assert_allclose(traced(_features(batch=3)), eager, atol=1e-6)
  assert traced(_features(batch=1)).shape == (1, N, C, 1, 4)
