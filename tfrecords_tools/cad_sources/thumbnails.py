"""Small pictures of CADs, and sheets of them."""

import io
from typing import NamedTuple
from typing import Sequence
from typing import Tuple

import numpy as np
import trimesh
from PIL import Image
from PIL import ImageDraw
from PIL import ImageFont

from mask2cad_tf.geometry import meshes
from mask2cad_tf.geometry import renderer
from mask2cad_tf.geometry import views

SIDE = 128  # pixels
_COLUMNS = 14
_MAX_PER_GROUP = 420
_CAPTION = 24  # pixels below a picture
_HEADING = 26
_GAP = 4
_LETTERS = 21  # of a line of a caption
_PAPER = (255, 255, 255)
_INK = (20, 20, 20)
_GREY = (190, 190, 190)  # a CAD without colours
_YAW, _PITCH = np.radians(35.0), np.radians(22.0)


class Thumbnail(NamedTuple):
  """A CAD's picture for a sheet."""

  group: str
  caption: str
  png: bytes


def render(path: str) -> bytes:
  """PNG of a mesh seen from the front (-z), its left side and above.

  Args:
    path: a mesh file that `meshes.load` accepts.
  """
  mesh, colors = _tinted(path)
  scene = renderer.Renderer(mesh)
  rotation = _rotation()
  translation, intrinsics = views.canonical_camera(
    scene.vertices, rotation, SIDE, fill=0.92
  )
  image = scene.render(rotation, translation, intrinsics, SIDE, SIDE)
  shade = image.shaded / np.maximum(image.coverage, 1e-6)
  picture = colors[image.triangles] * (0.25 + 0.75 * shade)[..., np.newaxis]
  cover = image.coverage[..., np.newaxis]
  picture = cover * picture + (1.0 - cover) * np.asarray(_PAPER)
  return views.encode_png(np.round(picture.clip(0, 255)).astype(np.uint8))


def sheet(title: str, thumbnails: Sequence[Thumbnail]) -> bytes:
  """PNG of all pictures under the headings of their groups.

  Args:
    title: first line.
    thumbnails: groups and pictures appear in the order given; of a large group
      the first 420 do.
  """
  groups: dict = {}
  for thumbnail in thumbnails:
    groups.setdefault(thumbnail.group, []).append(thumbnail)
  step = SIDE + _CAPTION + _GAP
  rows = [-(-min(len(g), _MAX_PER_GROUP) // _COLUMNS) for g in groups.values()]
  size = (
    _COLUMNS * (SIDE + _GAP) + _GAP,
    _HEADING * (1 + len(groups)) + step * sum(rows) + _GAP,
  )
  page = Image.new('RGB', size, _PAPER)
  draw = ImageDraw.Draw(page)
  draw.text((_GAP, 6), title, _INK, _font(14))
  top = _HEADING
  for (name, members), count in zip(groups.items(), rows):
    draw.text((_GAP, top + 6), _heading(name, len(members)), _INK, _font(14))
    top += _HEADING
    for index, one in enumerate(members[:_MAX_PER_GROUP]):
      row, column = divmod(index, _COLUMNS)
      corner = (_GAP + column * (SIDE + _GAP), top + row * step)
      _paste(page, draw, corner, one)
    top += count * step
  buffer = io.BytesIO()
  page.save(buffer, format='PNG', optimize=True)
  return buffer.getvalue()


def _paste(page, draw, corner: Tuple[int, int], one: Thumbnail) -> None:
  """Puts a picture and its caption of at most two lines on the page."""
  with Image.open(io.BytesIO(one.png)) as picture:
    page.paste(picture, corner)
  lines = [one.caption[:_LETTERS], one.caption[_LETTERS : 2 * _LETTERS]]
  draw.text(
    (corner[0], corner[1] + SIDE), '\n'.join(lines), _INK, _font(9), spacing=1
  )


def _heading(name: str, count: int) -> str:
  if count <= _MAX_PER_GROUP:
    return f'{name}: {count}'
  return f'{name}: {_MAX_PER_GROUP} of {count}'


def _font(size: int):
  return ImageFont.load_default(size)


def _rotation() -> np.ndarray:
  """CAD to camera, [3, 3]; the identity looks at the front."""
  cos, sin = np.cos(_YAW), np.sin(_YAW)
  yaw = np.array([[cos, 0.0, sin], [0.0, 1.0, 0.0], [-sin, 0.0, cos]])
  cos, sin = np.cos(_PITCH), np.sin(_PITCH)
  pitch = np.array([[1.0, 0.0, 0.0], [0.0, cos, sin], [0.0, -sin, cos]])
  return pitch @ yaw


def _tinted(path: str) -> Tuple[trimesh.Trimesh, np.ndarray]:
  """The mesh, bare, and a colour 0..255 (sRGB) for each face, [n, 3]."""
  parts = meshes.load_parts(path)
  offsets = np.cumsum([0] + [len(part.vertices) for part in parts[:-1]])
  mesh = trimesh.Trimesh(
    np.concatenate([part.vertices for part in parts]),
    np.concatenate([p.faces + o for p, o in zip(parts, offsets)]),
    process=False,
  )
  return mesh, np.concatenate([_face_colors(part) for part in parts])


def _face_colors(part: trimesh.Trimesh) -> np.ndarray:
  material = getattr(part.visual, 'material', None)
  if material is None:
    if not part.visual.defined:
      return np.tile(np.float64(_GREY), (len(part.faces), 1))
    return np.asarray(part.visual.face_colors[:, :3], np.float64)
  image = getattr(material, 'baseColorTexture', None) or getattr(
    material, 'image', None
  )
  uv = getattr(part.visual, 'uv', None)
  if image is not None and uv is not None:
    middles = np.asarray(uv)[part.faces].mean(axis=1)
    return _sampled(np.asarray(image.convert('RGB'), np.float64), middles)
  color = np.asarray(material.main_color[:3], np.float64)
  if getattr(material, 'baseColorFactor', None) is not None:  # linear
    color = 255.0 * (color / 255.0) ** (1.0 / 2.2)
  return np.tile(color, (len(part.faces), 1))


def _sampled(image: np.ndarray, uv: np.ndarray) -> np.ndarray:
  """The image's colours at uv [n, 2], repeated beyond its border."""
  height, width = image.shape[:2]
  uv = np.nan_to_num(uv) % 1.0
  columns = np.minimum((uv[:, 0] * width).astype(int), width - 1)
  rows = np.minimum(((1.0 - uv[:, 1]) * height).astype(int), height - 1)
  return image[rows, columns]
