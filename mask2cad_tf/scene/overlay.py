"""overlay.png: the photo with masks and the projected CADs."""

from typing import List
from typing import Sequence
from typing import Tuple

import numpy as np
from PIL import Image
from PIL import ImageDraw
from PIL import ImageFilter
from PIL import ImageFont

from mask2cad_tf.geometry import renderer
from mask2cad_tf.scene import assemble
from mask2cad_tf.scene import cad_meshes
from mask2cad_tf.scene import photo as photo_lib

_MAX_RENDER_SIDE = 1024  # pixels; larger photos get their rendering enlarged
_MASK_ALPHA = 0.30
_CAD_ALPHA = 0.72
_CREASE_ALPHA = 0.45
_CREASE_COSINE = 0.85  # neighbours whose normals differ more form an edge
COLORS = (
  (64, 156, 255),
  (255, 149, 0),
  (52, 199, 123),
  (255, 92, 122),
  (175, 112, 255),
  (255, 209, 41),
  (0, 199, 209),
  (190, 142, 98),
)
_INK = (16, 18, 24)


def draw(
  photo: photo_lib.Photo,
  objects: Sequence[assemble.SceneObject],
  cads: cad_meshes.CadMeshes,
) -> Image.Image:
  """The photo, its size, with each object in a colour of its own.

  The mask is a tint, the CAD its shaded rendering with an outline (nearer CADs
  in front), the label its class and score, CAD and similarity.
  """
  canvas = photo.image.astype(np.float32)
  colors = [COLORS[i % len(COLORS)] for i in range(len(objects))]
  for found, color in zip(objects, colors):
    canvas = _blend(canvas, color, _MASK_ALPHA * found.cad.mask)
  for color, (shading, coverage, creases) in zip(
    colors, _render(photo.camera, objects, cads)
  ):
    canvas = _blend(canvas, _shade(color, shading), _CAD_ALPHA * coverage)
    canvas = _blend(canvas, _INK, _CREASE_ALPHA * creases * coverage)
    canvas = _blend(canvas, _lighten(color, 0.55), _outline(coverage))
  image = Image.fromarray(np.clip(canvas, 0, 255).astype(np.uint8))
  _draw_labels(image, objects, colors)
  return image


def _blend(
  canvas: np.ndarray, color: Sequence[float], alpha: np.ndarray
) -> np.ndarray:
  """Canvas [H, W, 3] under a colour [3] or [H, W, 3] of opacity [H, W]."""
  alpha = alpha[..., np.newaxis].astype(np.float32)
  return canvas + alpha * (np.asarray(color, np.float32) - canvas)


def _lighten(color: Sequence[int], share: float) -> np.ndarray:
  color = np.asarray(color, np.float32)
  return color + share * (255.0 - color)


def _shade(color: Sequence[int], shading: np.ndarray) -> np.ndarray:
  """Colours [H, W, 3]: dark ink in the shade, the light tint in the light."""
  shading = shading[..., np.newaxis] ** 1.3  # more contrast
  return _INK + shading * (_lighten(color, 0.4) - _INK)


def _render(
  camera: photo_lib.Camera,
  objects: Sequence[assemble.SceneObject],
  cads: cad_meshes.CadMeshes,
) -> List[Tuple[np.ndarray, np.ndarray, np.ndarray]]:
  """Each CAD's grey, what is seen of it and its creases, [H, W], 0..1."""
  scale = min(1.0, _MAX_RENDER_SIDE / max(camera.width, camera.height))
  height = max(1, round(camera.height * scale))
  width = max(1, round(camera.width * scale))
  stretch = np.tile([width / camera.width, height / camera.height], 2)
  renderings = [
    cads.renderer(found.cad.cad_id).render(
      found.cad.rotation,
      found.cad.translation / found.scale,  # the same picture, unscaled
      camera.intrinsics * stretch,
      height,
      width,
    )
    for found in objects
  ]
  depths = [r.depth * f.scale for r, f in zip(renderings, objects)]
  nearest = np.min(depths, axis=0) if objects else None
  size = (camera.width, camera.height)
  # `shaded` is averaged with the background's 0: undo that at the edges.
  return [
    tuple(
      _resize(values, size)
      for values in (
        r.shaded / np.maximum(r.coverage, 1e-3),
        np.where(depth <= nearest, r.coverage, 0.0),
        _creases(r),
      )
    )
    for r, depth in zip(renderings, depths)
  ]


def _creases(rendering: renderer.Rendering) -> np.ndarray:
  """1 where a pixel's face turns from its right or lower neighbour's."""
  lines = np.zeros(rendering.mask.shape)
  for axis in (0, 1):
    here = np.moveaxis(rendering.normals, axis, 0)
    turned = np.sum(here[:-1] * here[1:], axis=-1) < _CREASE_COSINE
    mask = np.moveaxis(rendering.mask, axis, 0)
    np.moveaxis(lines, axis, 0)[:-1] += turned & mask[:-1] & mask[1:]
  return np.minimum(lines, 1.0)


def _resize(values: np.ndarray, size: Tuple[int, int]) -> np.ndarray:
  image = Image.fromarray(np.clip(values, 0.0, 1.0).astype(np.float32))
  return np.asarray(image.resize(size, Image.Resampling.BILINEAR))


def _outline(coverage: np.ndarray) -> np.ndarray:
  """Opacity [H, W] of a soft line around what is covered."""
  radius = max(1, round(max(coverage.shape) / 500))
  image = Image.fromarray((coverage * 255).astype(np.uint8))
  grown = image.filter(ImageFilter.MaxFilter(2 * radius + 1))
  shrunk = image.filter(ImageFilter.MinFilter(3))
  line = np.asarray(grown, np.float32) - np.asarray(shrunk, np.float32)
  soft = Image.fromarray(line.clip(0, 255).astype(np.uint8)).filter(
    ImageFilter.GaussianBlur(0.4 * radius)
  )
  return np.asarray(soft, np.float32) / 255.0


def _draw_labels(
  image: Image.Image,
  objects: Sequence[assemble.SceneObject],
  colors: Sequence[Tuple[int, int, int]],
) -> None:
  """Labels at the boxes' top left corners, moved down where one stands."""
  size = int(np.clip(max(image.size) / 52, 11, 40))
  font = ImageFont.load_default(size)
  pen = ImageDraw.Draw(image, 'RGBA')
  taken: List[Tuple[float, float, float, float]] = []
  for found, color in zip(objects, colors):
    texts = _texts(found)
    pad = 0.45 * size
    widths = [pen.textlength(text, font) + 2 * pad for text in texts]
    height = size + 1.1 * pad
    left = min(max(0.0, found.cad.box[1]), max(0, image.width - sum(widths)))
    top = max(0.0, found.cad.box[0] - height - 2)
    while (
      any(
        _overlap((left, top, left + sum(widths), top + height), other)
        for other in taken
      )
      and top + 2 * height < image.height
    ):
      top += height + 2
    taken.append((left, top, left + sum(widths), top + height))
    _draw_label(pen, (left, top), widths, height, texts, font, color)


def _texts(found: assemble.SceneObject) -> Tuple[str, str]:
  shape = found.cad.cad_id.split('/', 1)[-1]
  doubt = '' if found.confident else ' ?'
  return (
    f'{found.label_name} {found.cad.score:.2f}',
    f'{shape} · {found.similarity:.2f}{doubt}',
  )


def _overlap(a: Sequence[float], b: Sequence[float]) -> bool:
  return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _draw_label(
  pen: ImageDraw.ImageDraw,
  corner: Tuple[float, float],
  widths: Sequence[float],
  height: float,
  texts: Sequence[str],
  font: ImageFont.FreeTypeFont,
  color: Tuple[int, int, int],
) -> None:
  """Class and score on the object's colour, the CAD beside it on ink."""
  left, top = corner
  split, right = left + widths[0], left + sum(widths)
  bottom = top + height
  radius = 0.28 * height
  pen.rounded_rectangle((left, top, right, bottom), radius, fill=(*_INK, 225))
  pen.rounded_rectangle(
    (left, top, split, bottom),
    radius,
    fill=(*color, 255),
    corners=(True, False, False, True),
  )
  middle = 0.5 * (top + bottom)
  pen.text(
    (left + 0.5 * widths[0], middle),
    texts[0],
    fill=_INK,
    font=font,
    anchor='mm',
  )
  pen.text(
    (split + 0.5 * widths[1], middle),
    texts[1],
    fill=(255, 255, 255),
    font=font,
    anchor='mm',
  )
