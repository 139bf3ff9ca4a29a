import numpy as np
import pytest

from mask2cad_tf.data import record_files
from tests import toy
from tfrecords_tools import build_shape_priors


def test_priors_of_the_toy_classes(toy_data):
  with np.load(toy_data.priors) as arrays:
    priors, names = arrays['priors'], arrays['class_names'].tolist()
  assert priors.shape == (5, 4, 32, 32)
  assert priors.dtype == np.float32
  assert names == list(toy.CLASS_NAMES)
  assert priors.min() >= 0 and priors.max() <= 1
  np.testing.assert_allclose(
    priors[0, 0], priors[1:].mean(axis=(0, 1)), atol=1e-6
  )
  # Every prior shows an object in its box, none is empty or all full.
  share = priors[1:].mean(axis=(2, 3))
  assert share.min() > 0.1 and share.max() < 0.99


def test_masks_fill_their_boxes_and_come_flipped_too(toy_data):
  masks = build_shape_priors.class_masks(
    record_files.match(toy_data.photo_records), 32
  )
  assert set(masks) == {'bed'}
  assert masks['bed'].shape == (6, 32, 32)
  np.testing.assert_array_equal(masks['bed'][0][:, ::-1], masks['bed'][1])
  for mask in masks['bed']:  # a tight box: the mask touches all four sides
    for side in (mask[0], mask[-1], mask[:, 0], mask[:, -1]):
      assert side.max() > 0


def test_two_clusters_of_two_shapes():
  # Six tall and three wide bars: the means are the shapes, tall first.
  tall, wide = np.zeros((2, 4, 4))
  tall[:, 1], wide[1] = 1.0, 1.0
  noise = np.random.default_rng(0).uniform(0, 0.01, (9, 4, 4))
  masks = np.concatenate([[tall] * 6, [wide] * 3]) + noise
  priors = build_shape_priors.cluster(masks, 2, seed=0)
  np.testing.assert_allclose(priors[0], masks[:6].mean(axis=0))
  np.testing.assert_allclose(priors[1], masks[6:].mean(axis=0))


def test_fewer_masks_than_priors_repeat():
  masks = np.stack([np.zeros((4, 4)), np.ones((4, 4)), np.ones((4, 4))])
  priors = build_shape_priors.cluster(masks, 3, seed=0)
  np.testing.assert_array_equal(priors.mean(axis=(1, 2)), [1.0, 0.0, 1.0])


def test_class_without_masks_is_named(toy_data, tmp_path):
  with pytest.raises(ValueError, match='wardrobe.*--class_names'):
    build_shape_priors.build(
      toy_data.image_records, str(tmp_path / 'p.npz'), ('bed', 'wardrobe')
    )
  assert not list(tmp_path.iterdir())


def test_deterministic(toy_data, tmp_path):
  for name in 'ab':
    build_shape_priors.build(
      toy_data.image_records, str(tmp_path / name), toy.CLASS_NAMES, 3, seed=5
    )
  with np.load(tmp_path / 'a') as a, np.load(tmp_path / 'b') as b:
    for key in a:
      np.testing.assert_array_equal(a[key], b[key])


def test_missing_classes_take_all_masks(toy_data, tmp_path):
  path = str(tmp_path / 'p.npz')
  build_shape_priors.build(
    toy_data.image_records,
    path,
    (*toy.CLASS_NAMES, 'wardrobe'),
    fill_missing=True,
    num_priors=1,
  )
  masks = build_shape_priors.class_masks(
    record_files.match(toy_data.image_records), 32
  )
  everything = np.concatenate([masks[name] for name in sorted(masks)])
  priors = np.load(path)['priors']
  np.testing.assert_allclose(priors[5, 0], everything.mean(axis=0), atol=1e-6)
