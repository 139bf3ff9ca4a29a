"""Thumbnails of CADs and photos for report.html."""

import functools
import io
from typing import Sequence
from typing import Tuple

import numpy as np
from PIL import Image

from mask2cad_tf.evaluation import report_figures
from mask2cad_tf.geometry import meshes
from mask2cad_tf.geometry import renderer
from mask2cad_tf.geometry import views

_SIDE = 112  # pixels
_PAPER, _DARK = 250.0, 0.25  # grey of the background; of shade, 0..1
_QUALITY = 82
_MAX_CADS = 64  # kept in memory


class CadPictures:
  """Renderings of CADs; each mesh is read once."""

  def __init__(self):
    """Has read none yet."""
    self._renderer = functools.lru_cache(_MAX_CADS)(_load)

  def render(
    self,
    mesh: str,
    rotation: np.ndarray,
    scale: Sequence[float] = (1.0, 1.0, 1.0),
  ) -> np.ndarray:
    """The CAD, framed, on light paper.

    Args:
      mesh: its path.
      rotation: [3, 3], allocentric.
      scale: [3], as `PosedCad.scale`.

    Returns:
      uint8 [112, 112, 3].
    """
    drawer = self._renderer(mesh, tuple(float(s) for s in scale))
    translation, intrinsics = views.canonical_camera(
      drawer.vertices, rotation, _SIDE, fill=0.9
    )
    seen = drawer.render(rotation, translation, intrinsics, _SIDE, _SIDE)
    # `shaded` is averaged with the background's 0.
    grey = 255.0 * (_DARK * seen.coverage + (1.0 - _DARK) * seen.shaded)
    grey = 0.88 * grey + _PAPER * (1.0 - seen.coverage)
    picture = np.round(np.clip(grey, 0.0, 255.0)).astype(np.uint8)
    return np.repeat(picture[..., np.newaxis], 3, axis=-1)


def _load(mesh: str, scale: Tuple[float, float, float]) -> renderer.Renderer:
  loaded = meshes.load(mesh).copy()
  loaded.vertices = np.asarray(loaded.vertices) * scale
  return renderer.Renderer(loaded)


def jpeg_url(image: np.ndarray) -> str:
  """Data URL of uint8 [h, w, 3]."""
  content = io.BytesIO()
  Image.fromarray(image).save(content, 'JPEG', quality=_QUALITY)
  return report_figures.data_url('image/jpeg', content.getvalue())
