"""Cameras of a request: a phone's where it has none; what is none says why."""

import numpy as np
import pytest
import tensorflow as tf

from mask2cad_tf.serving import request_cameras

_CHECKED = tf.function(
  request_cameras.checked,
  input_signature=[
    tf.TensorSpec([None, 4], tf.float32),
    tf.TensorSpec([], tf.int32),
  ],
)
_GOOD = [500.0, 510.0, 200.0, 100.0]


@pytest.mark.parametrize('count', [0, 1, 3])
def test_cameras_come_through(count):
  rows = np.array([_GOOD] * count, np.float32).reshape(-1, 4)
  np.testing.assert_array_equal(_CHECKED(rows, count), rows)
  np.testing.assert_array_equal(
    request_cameras.checked(tf.constant(rows), tf.constant(count)), rows
  )


@pytest.mark.parametrize(
  'column, value', [(0, np.nan), (1, -1.0), (0, 0.0), (2, np.inf), (3, np.nan)]
)
def test_what_is_no_camera(column, value):
  rows = np.array([_GOOD] * 3, np.float32)
  rows[1, column] = value
  with pytest.raises(
    tf.errors.InvalidArgumentError,
    match=r'intrinsics\[1\]: .*expected finite fx, fy, cx, cy',
  ):
    _CHECKED(rows, 3)


def test_one_camera_a_photo():
  with pytest.raises(
    tf.errors.InvalidArgumentError, match='1 rows for 3 photos'
  ):
    _CHECKED([_GOOD], 3)


def test_a_photo_without_a_camera_has_a_phones():
  # Diagonal of 300 x 400 pixels: 500, of 36 x 24 mm: 43.27; 27 / 43.27 of 500.
  found = request_cameras.assumed(tf.constant([[300.0, 400.0]]))
  np.testing.assert_allclose(found, [[312.0, 312.0, 200.0, 150.0]], atol=0.05)
