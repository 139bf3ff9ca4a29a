"""Renderings of a CAD for the shape encoder: centred, one size, shaded."""

import io

import numpy as np
from PIL import Image
from scipy.spatial import transform

from mask2cad_tf import conventions
from mask2cad_tf.geometry import cameras
from mask2cad_tf.geometry import renderer as renderer_lib


def canonical_camera(
  vertices: np.ndarray,
  rotation: np.ndarray,
  size: int = conventions.VIEW_SIZE,
  fov_degrees: float = 30.0,
  fill: float = 0.8,
) -> tuple[np.ndarray, np.ndarray]:
  """A camera that looks straight at the CAD and frames it.

  The centre of the CAD's bounding box lies on the optical axis, so the
  rotation that is seen is the allocentric one; only focal length and principal
  point adapt to the projected extent.

  Args:
    vertices: [n, 3], CAD frame.
    rotation: [3, 3], CAD to camera.
    size: pixels, side of the square image.
    fov_degrees: angle under which the CAD's bounding sphere is seen.
    fill: share of the side that the longer projected edge takes.

  Returns:
    translation [3], CAD units, and intrinsics (fx, fy, cx, cy), pixels.
  """
  vertices = np.asarray(vertices, np.float64)
  center = 0.5 * (vertices.min(axis=0) + vertices.max(axis=0))
  radius = np.linalg.norm(vertices - center, axis=-1).max()
  distance = radius / np.sin(np.radians(0.5 * fov_degrees))
  translation = np.array([0.0, 0.0, distance]) - rotation @ center
  points = cameras.project(
    vertices @ np.asarray(rotation).T + translation,
    np.array([1.0, 1.0, 0.0, 0.0]),
  )
  low, high = points.min(axis=0), points.max(axis=0)
  focal = fill * size / (high - low).max()
  principal = 0.5 * size - focal * 0.5 * (low + high)
  return translation, np.array([focal, focal, *principal])


def render_view(
  renderer: renderer_lib.Renderer,
  rotation: np.ndarray,
  size: int = conventions.VIEW_SIZE,
) -> np.ndarray:
  """The view of a CAD that enters the shape encoder (Sec. 3.2).

  Args:
    renderer: of the CAD.
    rotation: [3, 3], allocentric.
    size: pixels, side.

  Returns:
    uint8 [size, size], shaded grey on black.
  """
  translation, intrinsics = canonical_camera(renderer.vertices, rotation, size)
  shaded = renderer.shaded(rotation, translation, intrinsics, size, size)
  return np.round(shaded * 255.0).astype(np.uint8)


def encode_png(view: np.ndarray) -> bytes:
  """PNG bytes of a uint8 [h, w] grey or [h, w, 3] colour image."""
  buffer = io.BytesIO()
  Image.fromarray(view).save(buffer, format='PNG')
  return buffer.getvalue()


def jitter_rotation(
  rotation: np.ndarray, degrees: float, rng: np.random.Generator
) -> np.ndarray:
  """Turns a rotation [3, 3] about a random camera-frame axis.

  Args:
    rotation: [3, 3].
    degrees: standard deviation of the normally distributed angle.
    rng: random generator.

  Returns:
    dR R, [3, 3].
  """
  axis = rng.normal(size=3)
  angle = np.radians(degrees) * rng.normal()
  vector = angle * axis / np.linalg.norm(axis)
  return transform.Rotation.from_rotvec(vector).as_matrix() @ rotation
