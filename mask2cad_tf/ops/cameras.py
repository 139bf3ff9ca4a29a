"""Pix3D's camera: projection, unprojection, resizing, allocentric rotations.

Camera frame: +x to the image's left, +y up, +z forward. Intrinsics are
(fx, fy, cx, cy) in pixels, image points (x, y) in pixels.
"""

import tensorflow as tf

from mask2cad_tf.ops import quaternions


def project(points: tf.Tensor, intrinsics: tf.Tensor) -> tf.Tensor:
  """Image points u = cx - fx X / Z, v = cy - fy Y / Z.

  Args:
    points: float [..., 3], camera frame, Z != 0.
    intrinsics: float [..., 4], broadcasts with `points`.

  Returns:
    float [..., 2], (x, y), pixels.
  """
  return (
    intrinsics[..., 2:]
    - intrinsics[..., :2] * points[..., :2] / points[..., 2:]
  )


def unproject(
  centers: tf.Tensor, depths: tf.Tensor, intrinsics: tf.Tensor
) -> tf.Tensor:
  """The point at a given depth behind an image point (Sec. 3.3).

  Args:
    centers: float [..., 2], (x, y), pixels.
    depths: float [...], Z along the optical axis.
    intrinsics: float [..., 4]; all three broadcast.

  Returns:
    float [..., 3], camera frame, in the unit of `depths`.
  """
  return _ray(centers, intrinsics) * depths[..., tf.newaxis]


def resize_intrinsics(
  intrinsics: tf.Tensor, scale_yx: tf.Tensor, offset_yx: tf.Tensor
) -> tf.Tensor:
  """Intrinsics of the image resized, then cropped (Garden's `image_info`).

  Args:
    intrinsics: float [..., 4], of the original image.
    scale_yx: float [..., 2], resized pixels per original pixel, (y, x).
    offset_yx: float [..., 2], (y, x) of the crop in the resized image, pixels.

  Returns:
    float [..., 4]: u' = scale_x u - offset_x, v' = scale_y v - offset_y.
  """
  scale_xy = tf.reverse(tf.cast(scale_yx, intrinsics.dtype), axis=[-1])
  offset_xy = tf.reverse(tf.cast(offset_yx, intrinsics.dtype), axis=[-1])
  return tf.concat(
    [
      intrinsics[..., :2] * scale_xy,
      intrinsics[..., 2:] * scale_xy - offset_xy,
    ],
    axis=-1,
  )


def ray_rotation(centers: tf.Tensor, intrinsics: tf.Tensor) -> tf.Tensor:
  """R_ray: the smallest rotation that takes +z to the ray through a point.

  For the unit ray d it is the quaternion (1 + d_z, z x d), normalised.

  Args:
    centers: float [..., 2], (x, y), pixels.
    intrinsics: float [..., 4], broadcasts with `centers`.

  Returns:
    float [..., 4].
  """
  ray = tf.math.l2_normalize(_ray(centers, intrinsics), axis=-1)
  x, y, z = tf.unstack(ray, axis=-1)
  return quaternions.normalize(
    tf.stack([1.0 + z, -y, x, tf.zeros_like(x)], axis=-1)
  )


def allocentric_from_camera(
  q: tf.Tensor, centers: tf.Tensor, intrinsics: tf.Tensor
) -> tf.Tensor:
  """R_allocentric = R_ray^-1 R_camera.

  Args:
    q: float [..., 4], camera frame.
    centers: float [..., 2], projected CAD origins, (x, y), pixels.
    intrinsics: float [..., 4]; all three broadcast.

  Returns:
    float [..., 4], w >= 0.
  """
  inverse = quaternions.conjugate(ray_rotation(centers, intrinsics))
  return quaternions.canonicalize(quaternions.multiply(inverse, q))


def camera_from_allocentric(
  q: tf.Tensor, centers: tf.Tensor, intrinsics: tf.Tensor
) -> tf.Tensor:
  """R_camera = R_ray R_allocentric, quaternions [..., 4].

  Undoes `allocentric_from_camera`, and takes what it takes.
  """
  return quaternions.canonicalize(
    quaternions.multiply(ray_rotation(centers, intrinsics), q)
  )


def _ray(centers: tf.Tensor, intrinsics: tf.Tensor) -> tf.Tensor:
  """Direction float [..., 3] with Z = 1 of image points float [..., 2]."""
  slope = (intrinsics[..., 2:] - centers) / intrinsics[..., :2]
  return tf.concat([slope, tf.ones_like(slope[..., :1])], axis=-1)
