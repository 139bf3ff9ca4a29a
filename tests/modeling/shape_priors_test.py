"""Shape priors: classes by name, sizes by area, clear errors."""

import numpy as np
import pytest

from mask2cad_tf.modeling import shape_priors

_NAMES = ['bed', 'chair', 'sofa']


def _write(tmp_path, priors, names=tuple(_NAMES)):
  path = str(tmp_path / 'priors.npz')
  np.savez(path, priors=priors, class_names=np.array(names))
  return path


def _numbered(rows, size=4):
  """Row r, prior k is the constant (10 r + k) / 100."""
  values = 10.0 * np.arange(rows)[:, None] + np.arange(2)
  return np.broadcast_to(values[..., None, None] / 100, [rows, 2, size, size])


def test_rows_follow_the_models_classes(tmp_path):
  path = _write(tmp_path, _numbered(3))
  priors = shape_priors.load(path, ['sofa', 'bed'], 2, 4)
  assert priors.shape == (3, 2, 4, 4)
  assert priors.dtype == np.float32
  np.testing.assert_allclose(
    priors[:, :, 0, 0], [[0, 0], [0.20, 0.21], [0.00, 0.01]]
  )


def test_a_background_row_in_the_file_is_skipped(tmp_path):
  path = _write(tmp_path, _numbered(4))
  priors = shape_priors.load(path, _NAMES, 2, 4)
  np.testing.assert_allclose(
    priors[:, 0, 0, 0], [0, 0.10, 0.20, 0.30], rtol=1e-6
  )


def test_smaller_masks_are_area_averages(tmp_path):
  # Left half 1, right half 0: it stays so at half the size, and the mean of
  # each prior stays 1/2.
  priors = np.zeros([3, 2, 8, 8])
  priors[..., :4] = 1.0
  path = _write(tmp_path, priors)
  small = shape_priors.load(path, _NAMES, 2, 4)[1:]
  np.testing.assert_allclose(small.mean(axis=(2, 3)), 0.5, atol=0.01)
  assert np.all(small[..., 0] > 0.95)
  assert np.all(small[..., 3] < 0.05)


def test_errors_name_the_remedy(tmp_path):
  with pytest.raises(FileNotFoundError, match='build_shape_priors'):
    shape_priors.load(str(tmp_path / 'none.npz'), _NAMES, 2, 4)
  with pytest.raises(FileNotFoundError, match="No shape priors at ''"):
    shape_priors.load('', _NAMES, 2, 4)
  path = _write(tmp_path, _numbered(3))
  with pytest.raises(ValueError, match='no class tool; they have bed, chair'):
    shape_priors.load(path, ['bed', 'tool'], 2, 4)
  with pytest.raises(ValueError, match='num_priors is 20, but .* has 2'):
    shape_priors.load(path, _NAMES, 20, 4)
