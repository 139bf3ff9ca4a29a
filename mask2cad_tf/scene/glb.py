"""scene.glb: the CADs before the photo's camera, in glTF's axes.

glTF's camera looks along -z, +x to the right, +y up; ours along +z, +x to the
left, +y up. A half turn about y takes one to the other, handedness kept.
"""

import os
from typing import Any
from typing import Dict
from typing import Mapping
from typing import Sequence

import numpy as np
import trimesh
from PIL import Image
from trimesh.exchange import gltf

from mask2cad_tf.geometry import posed_cad
from mask2cad_tf.geometry import renderer
from mask2cad_tf.scene import cad_meshes
from mask2cad_tf.scene import photo as photo_lib
from mask2cad_tf.scene import scene_json

GLB = 'scene.glb'
JSON = 'scene.json'
_GLTF_FROM_CAMERA = np.diag([-1.0, 1.0, -1.0, 1.0])  # its own inverse
_CAMERA_NAME = 'camera'


def write(
  path: str,
  objects: Sequence[posed_cad.PosedCad],
  cads: cad_meshes.CadMeshes,
  camera: photo_lib.Camera,
) -> None:
  """Writes one node '<cad_id>' per object and the camera's.

  Further objects of the same CAD are '<cad_id>#2' and so on. A node's matrix
  poses its CAD; vertices stay in the CAD's own frame and units, colours and
  textures stay with them. Its extras name the CAD, its creator and its licence.
  """
  scene = trimesh.Scene(camera=_trimesh_camera(camera))
  extras = {}
  for index, cad in enumerate(objects):
    before = sum(other.cad_id == cad.cad_id for other in objects[:index])
    name = f'{cad.cad_id}#{before + 1}' if before else cad.cad_id
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = cad.rotation * cad.scale, cad.translation
    scene.add_geometry(
      _exportable(cads.mesh(cad.cad_id)),
      node_name=name,
      geom_name=name,
      transform=_GLTF_FROM_CAMERA @ pose,
    )
    extras[name] = {'cad_id': cad.cad_id, **cads.credit(cad.cad_id)}
  scene.camera_transform = np.eye(4)

  def finish(tree: Dict[str, Any]) -> None:
    tree['cameras'] = [_gltf_camera(camera)]
    _finish(tree, extras)

  content = gltf.export_glb(scene, tree_postprocessor=finish)
  with open(path, 'wb') as file:
    file.write(content)


def of_cads(cad_ids: Sequence[str], cads: cad_meshes.CadMeshes) -> bytes:
  """A GLB with one node a CAD, not posed; its extras have 'cad_id'."""
  scene = trimesh.Scene()
  for cad_id in cad_ids:
    scene.add_geometry(
      _exportable(cads.mesh(cad_id)), node_name=cad_id, geom_name=cad_id
    )
  extras = {i: {'cad_id': i, **cads.credit(i)} for i in cad_ids}
  return gltf.export_glb(
    scene, tree_postprocessor=lambda tree: _finish(tree, extras)
  )


def _exportable(mesh: trimesh.Trimesh) -> trimesh.Trimesh:
  """A copy whose colours every glTF reader shows; nothing shines like metal."""
  mesh = mesh.copy()
  if mesh.visual.kind == 'face':
    return _with_palette(mesh, mesh.visual.face_colors)
  if mesh.visual.kind == 'vertex':
    corners = mesh.visual.vertex_colors[mesh.faces]  # [faces, 3, 4]
    if (corners == corners[:, :1]).all():
      return _with_palette(mesh, corners[:, 0])
  material = getattr(mesh.visual, 'material', None)
  if isinstance(material, trimesh.visual.material.SimpleMaterial):
    mesh.visual.material = material.to_pbr()
    mesh.visual.material.metallicFactor = 0.0  # glTF's default is 1
  return mesh


def _with_palette(
  mesh: trimesh.Trimesh, face_colors: np.ndarray
) -> trimesh.Trimesh:
  """Face colours uint8 [faces, 4] as a texture with a pixel per colour.

  glTF has no face colours, and readers disagree on vertex colours beside a
  material. No corner is shared, so none has two colours.
  """
  colors, index = np.unique(face_colors, axis=0, return_inverse=True)
  side = int(np.ceil(np.sqrt(len(colors))))
  pixels = np.zeros((side * side, 4), np.uint8)
  pixels[: len(colors)] = colors
  row, column = np.divmod(index.reshape(-1), side)
  # trimesh counts v from the bottom.
  uv = np.stack([column + 0.5, side - row - 0.5], axis=-1) / side
  material = trimesh.visual.material.PBRMaterial(
    baseColorTexture=Image.fromarray(pixels.reshape(side, side, 4)),
    metallicFactor=0.0,
    roughnessFactor=0.8,
    alphaMode='BLEND' if colors[:, 3].min() < 255 else None,
  )
  return trimesh.Trimesh(
    mesh.triangles.reshape(-1, 3),
    np.arange(3 * len(mesh.faces)).reshape(-1, 3),
    process=False,
    visual=trimesh.visual.TextureVisuals(
      uv=np.repeat(uv, 3, axis=0), material=material
    ),
  )


def _trimesh_camera(camera: photo_lib.Camera) -> trimesh.scene.Camera:
  return trimesh.scene.Camera(
    name=_CAMERA_NAME,
    resolution=(camera.width, camera.height),
    focal=tuple(camera.intrinsics[:2]),
  )


def _gltf_camera(camera: photo_lib.Camera) -> Dict[str, Any]:
  """As glTF has it; trimesh's aspect ratio is one of angles, not of tangents.

  A glTF camera has no principal point: the intrinsics go to its extras.
  """
  fx, fy, cx, cy = map(float, camera.intrinsics)
  return {
    'name': _CAMERA_NAME,
    'type': 'perspective',
    'perspective': {
      'aspectRatio': camera.width / fx / (camera.height / fy),
      'yfov': 2.0 * float(np.arctan(0.5 * camera.height / fy)),
      'znear': 0.01,
    },
    'extras': {
      'fx': fx,
      'fy': fy,
      'cx': cx,
      'cy': cy,
      'width': camera.width,
      'height': camera.height,
    },
  }


def _finish(
  tree: Dict[str, Any], extras: Mapping[str, Mapping[str, str]]
) -> None:
  """Names the CADs in the nodes' extras; makes both sides of them visible."""
  for node in tree['nodes']:
    if node.get('name') in extras:
      node['extras'] = dict(extras[node['name']])
  materials = tree.setdefault('materials', [])
  for mesh in tree.get('meshes', []):
    for primitive in mesh['primitives']:
      if 'material' not in primitive:
        primitive['material'] = len(materials)
        materials.append(
          {
            'pbrMetallicRoughness': {
              'metallicFactor': 0.0,
              'roughnessFactor': 0.8,
            }
          }
        )
  for material in materials:  # CADs are rarely watertight
    material['doubleSided'] = True
  if not materials:
    del tree['materials']


def read_objects(path: str) -> trimesh.Trimesh:
  """All CADs of a written scene in our camera's frame, one mesh.

  Raises:
    ValueError: the scene holds no object.
  """
  parts = [
    part
    for part in trimesh.load_scene(path).dump()
    if isinstance(part, trimesh.Trimesh)
  ]
  if not parts:
    raise ValueError(f'{path!r} holds no object.')
  vertices = [part.vertices for part in parts]
  offsets = np.cumsum([0] + [len(v) for v in vertices[:-1]])
  mesh = trimesh.Trimesh(
    np.concatenate(vertices),
    np.concatenate([p.faces + o for p, o in zip(parts, offsets)]),
    process=False,
  )
  return mesh.apply_transform(_GLTF_FROM_CAMERA)


def scene_silhouette(folder: str) -> np.ndarray:
  """What the objects of a written scene cover in the photo.

  Reads scene.glb back, undoes glTF's axes and looks through the camera of
  scene.json: the files themselves are on trial.

  Args:
    folder: with scene.json and scene.glb.

  Returns:
    bool [H, W] of the photo; all False for a scene without objects.
  """
  scene = scene_json.load(os.path.join(folder, JSON))
  height, width = scene['image']['height'], scene['image']['width']
  if not scene['objects']:
    return np.zeros((height, width), bool)
  mesh = read_objects(os.path.join(folder, GLB))
  return renderer.Renderer(mesh).silhouette(
    np.eye(3), np.zeros(3), scene_json.intrinsics(scene), height, width
  )
