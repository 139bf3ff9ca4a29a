"""OBJ with MTL and textures -> GLB with everything inside."""

import io
import os
from typing import Any
from typing import Callable
from typing import List
from typing import NamedTuple
from typing import Optional
from typing import Sequence
from typing import Tuple

import numpy as np
import trimesh
from PIL import Image
from trimesh.visual import material as trimesh_material

from mask2cad_tf.geometry import meshes

MAX_TEXTURE_SIDE = 512  # pixels
_INVISIBLE = 0.01  # opacity up to which a part is not there
_MASK_CUTOFF = 0.5
_GREY = (0.8, 0.8, 0.8)  # a part without a material
_ROUGHNESS = (0.2, 0.95)
_JPEG_QUALITY = 92

# A file's bytes by its name beside the OBJ; FileNotFoundError where none is.
Read = Callable[[str], bytes]


class Part(NamedTuple):
  """The faces of one material."""

  vertices: np.ndarray  # float [n, 3]
  faces: np.ndarray  # int [m, 3]
  normals: Optional[np.ndarray]  # of the vertices, unit [n, 3]
  uv: Optional[np.ndarray]  # [n, 2], where the material has a texture
  material: trimesh_material.PBRMaterial


def read_obj(data: bytes, read: Read, where: str) -> List[Part]:
  """Reads an OBJ: one part a material.

  Args:
    data: the OBJ file.
    read: reads a file that lies beside it. Texture paths of the author's own
      machine are looked up by their last part.
    where: how messages name the file.

  Returns:
    Parts with physically based materials (colours linear, textures of at most
    512 pixels a side); parts that are wholly transparent are left out.

  Raises:
    meshes.MeshError: not an OBJ, no faces, no surface, broken vertices.
  """
  try:
    scene = trimesh.load_scene(
      io.BytesIO(data), file_type='obj', resolver=_Resolver(read), process=False
    )
  except Exception as error:  # The reader raises anything.
    raise meshes.MeshError(f'{where} cannot be read ({error}).') from error
  has_normals = data.startswith(b'vn ') or b'\nvn ' in data
  parts = [
    _part(mesh, has_normals)
    for mesh in scene.geometry.values()
    if isinstance(mesh, trimesh.Trimesh) and len(mesh.faces)
  ]
  parts = [part for part in parts if _opacity(part) > _INVISIBLE]
  if not parts:
    raise meshes.MeshError(f'{where} has no visible faces.')
  if not all(np.isfinite(part.vertices).all() for part in parts):
    raise meshes.MeshError(f'{where} has vertices that are NaN or infinite.')
  if not sum(_area(part) for part in parts) > 0:
    raise meshes.MeshError(f'{where} has no surface: all faces have area 0.')
  return parts


def move(parts: Sequence[Part], matrix: np.ndarray) -> List[Part]:
  """The parts moved by an affine matrix [4, 4]."""
  linear, shift = matrix[:3, :3], matrix[:3, 3]
  moved = []
  for part in parts:
    normals = part.normals
    if normals is not None:
      normals = _unit(normals @ np.linalg.inv(linear))
    moved.append(
      part._replace(vertices=part.vertices @ linear.T + shift, normals=normals)
    )
  return moved


def bounds(parts: Sequence[Part]) -> np.ndarray:
  """Least and greatest corner [2, 3] of the parts together."""
  vertices = np.concatenate([part.vertices for part in parts])
  return np.stack([vertices.min(axis=0), vertices.max(axis=0)])


def glb(parts: Sequence[Part]) -> bytes:
  """The parts as one GLB file, materials and textures inside."""
  scene = trimesh.Scene()
  for index, part in enumerate(parts):
    mesh = trimesh.Trimesh(
      part.vertices, part.faces, vertex_normals=part.normals, process=False
    )
    mesh.visual = trimesh.visual.TextureVisuals(
      uv=part.uv, material=part.material
    )
    scene.add_geometry(mesh, geom_name=f'part_{index}')
  return scene.export(file_type='glb')


class _Resolver(trimesh.resolvers.Resolver):
  """Gives trimesh's OBJ reader the files beside the OBJ."""

  def __init__(self, read: Read):
    self._read = read

  def get(self, name: str) -> bytes:
    """A file's bytes, by its path or by the last part of it."""
    name = name.strip().replace('\\', '/')
    try:
      return self._read(name)
    except FileNotFoundError:
      return self._read(name.rsplit('/', 1)[-1])

  def keys(self) -> List[str]:
    """Nothing to list: files are asked for by name."""
    return []

  def namespaced(self, namespace: str) -> '_Resolver':
    """The same files below a folder."""
    return _Resolver(lambda name: self._read(os.path.join(namespace, name)))

  def write(self, name: str, data: bytes) -> None:
    """Is not possible."""
    raise OSError(f'{name!r}: the files beside an OBJ are only read.')


def _part(mesh: trimesh.Trimesh, has_normals: bool) -> Part:
  """The mesh with a physically based material and its texture shrunk."""
  simple = getattr(mesh.visual, 'material', None)
  given = getattr(simple, 'kwargs', {})
  opacity = float(np.clip(_number(given.get('d'), 1.0), 0.0, 1.0))
  uv = getattr(mesh.visual, 'uv', None)
  image = getattr(simple, 'image', None)
  texture = None if image is None or uv is None else _texture(image)
  if texture is None:
    color = np.clip(_triple(given.get('kd'), _GREY), 0.0, 1.0)
  else:
    color = np.ones(3)  # beside a texture exporters write any Kd
  see_through = texture is not None and texture.mode == 'RGBA'
  mode = 'BLEND' if opacity < 1.0 else 'MASK' if see_through else 'OPAQUE'
  return Part(
    vertices=np.asarray(mesh.vertices, np.float64),
    faces=np.asarray(mesh.faces),
    normals=_unit(mesh.vertex_normals) if has_normals else None,
    uv=None if texture is None else np.asarray(uv),
    material=trimesh_material.PBRMaterial(
      name=str(getattr(simple, 'name', None) or 'plain'),
      baseColorFactor=_linear_rgba(color, opacity),
      baseColorTexture=texture,
      metallicFactor=0.0,
      roughnessFactor=_roughness(given.get('ns'), given.get('ks')),
      doubleSided=True,
      alphaMode=mode,
      alphaCutoff=_MASK_CUTOFF if mode == 'MASK' else None,
    ),
  )


def _unit(normals: np.ndarray) -> Optional[np.ndarray]:
  """Normals [n, 3] of length 1; None where some have no direction."""
  normals = np.asarray(normals, np.float64)
  length = np.linalg.norm(normals, axis=1, keepdims=True)
  if not (np.isfinite(length).all() and (length > 1e-9).all()):
    return None
  return normals / length


def _opacity(part: Part) -> float:
  return float(part.material.baseColorFactor[3]) / 255.0


def _area(part: Part) -> float:
  return float(trimesh.triangles.area(part.vertices[part.faces]).sum())


def _texture(image: Image.Image) -> Any:
  """The image in RGB or RGBA, shrunk; None where it does not decode."""
  try:
    has_alpha = image.mode in ('RGBA', 'LA', 'PA') or (
      'transparency' in image.info
    )
    image = image.convert('RGBA' if has_alpha else 'RGB')
  except (OSError, SyntaxError, ValueError):
    return None
  if has_alpha and image.getextrema()[3][0] == 255:
    image = image.convert('RGB')
  shrink = min(1.0, MAX_TEXTURE_SIDE / max(image.size))
  size = tuple(max(1, round(side * shrink)) for side in image.size)
  if size != image.size:
    image = image.resize(size, Image.Resampling.LANCZOS)
  if image.mode == 'RGBA':
    return image
  buffer = io.BytesIO()
  image.save(buffer, format='JPEG', quality=_JPEG_QUALITY)
  return Image.open(buffer)  # a JPEG image stays one in the GLB


def _linear_rgba(color: np.ndarray, opacity: float) -> np.ndarray:
  """Uint8 [4], as glTF has it, of a colour as seen on a screen (sRGB)."""
  linear = np.where(
    color <= 0.04045, color / 12.92, ((color + 0.055) / 1.055) ** 2.4
  )
  return np.round(255.0 * np.append(linear, opacity)).astype(np.uint8)


def _roughness(exponent: Any, specular: Any) -> float:
  """From the Phong exponent Ns; surfaces without highlight are rough."""
  if specular is not None and _triple(specular, (1.0,) * 3).max() < 0.02:
    return _ROUGHNESS[1]
  rough = (2.0 / (2.0 + max(0.0, _number(exponent, 10.0)))) ** 0.5
  return round(float(np.clip(rough, *_ROUGHNESS)), 3)


def _number(value: Any, default: float) -> float:
  """MTL's number: itself, or the first word of a line."""
  try:
    number = float(np.ravel(value)[0])
  except (TypeError, ValueError, IndexError):
    return default
  return number if np.isfinite(number) else default


def _triple(value: Any, default: Tuple[float, ...]) -> np.ndarray:
  """MTL's colour [3]; the default where there is none or a broken one."""
  try:
    color = np.asarray(value, np.float64).reshape(3)
  except (TypeError, ValueError):
    return np.asarray(default)
  return color if np.isfinite(color).all() else np.asarray(default)
