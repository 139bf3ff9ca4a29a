"""A tiny dataset, written by the real tools, for everyone's tests.

Three real Pix3D photos of two beds (inside the tensorflow_graphics wheel), and
rendered scenes of box-built chairs, sofas and tables, one to three a scene.
"""

import dataclasses
import importlib.util
import os
import shutil
from typing import Dict
from typing import List
from typing import Tuple

import numpy as np
import trimesh

from mask2cad_tf.geometry import meshes
from mask2cad_tf.geometry import renderer
from mask2cad_tf.geometry import views
from tfrecords_tools import build_pose_medoids
from tfrecords_tools import build_shape_priors
from tfrecords_tools import jittered_view
from tfrecords_tools import pix3d
from tfrecords_tools import record_examples
from tfrecords_tools import record_writer
from tfrecords_tools import render_views

CLASS_NAMES = ('bed', 'chair', 'sofa', 'table')
NUM_SCENES = 8
CHIRAL_CAD = 'sofa/corner'
_HEIGHT, _WIDTH, _FOCAL = 120, 160, 170.0


@dataclasses.dataclass(frozen=True)
class ToyData:
  """Paths and names.

  Attributes:
    root: folder of everything.
    pix3d_dir: a Pix3D folder: img/, mask/, model/, pix3d.json; 3 photos.
    annotations: its pix3d.json.
    library: CAD library with all ten CADs of the four classes.
    photo_records: glob, 3 real photos of beds.
    scene_records: glob, NUM_SCENES rendered scenes.
    image_records: glob of both.
    view_records, view_records_camera: glob, one record per CAD, rendered at
      the allocentric or camera medoids.
    medoids, medoids_camera: .npz, allocentric or camera frame, K = 16.
    priors: .npz, 4 priors per class, 32 x 32.
    class_names: CLASS_NAMES; label = 1 + index.
  """

  root: str
  pix3d_dir: str
  annotations: str
  library: str
  photo_records: str
  scene_records: str
  image_records: str
  view_records: str
  view_records_camera: str
  medoids: str
  medoids_camera: str
  priors: str
  class_names: Tuple[str, ...] = CLASS_NAMES


def wheel_pix3d() -> str:
  """The Pix3D folder inside the installed tensorflow_graphics, read-only."""
  spec = importlib.util.find_spec('tensorflow_graphics')
  return os.path.join(
    spec.submodule_search_locations[0], 'datasets', 'pix3d', 'fakes'
  )


def make(root: str) -> ToyData:
  """Writes the dataset.

  Args:
    root: a folder, made when it is not there.

  Returns:
    Where everything is.
  """

  def in_root(*parts):
    return os.path.join(root, *parts)

  shutil.copytree(wheel_pix3d(), in_root('pix3d'))
  shutil.copytree(in_root('pix3d', 'model'), in_root('library'))
  for cad_id, mesh in box_furniture().items():
    os.makedirs(in_root('library', cad_id))
    mesh.export(in_root('library', cad_id, 'model.ply'))
  records = in_root('records')
  pix3d.convert(
    in_root('pix3d'),
    in_root('pix3d', 'pix3d.json'),
    records,
    num_shards=2,
    class_names=CLASS_NAMES,
  )
  _write_scenes(in_root('library'), records)
  data = locate(root)
  for frame, medoids, folder in (
    ('allocentric', data.medoids, records),
    ('camera', data.medoids_camera, in_root('camera')),
  ):
    build_pose_medoids.build(
      data.image_records, medoids, frame, data.library, CLASS_NAMES
    )
    render_views.convert(data.library, medoids, folder, CLASS_NAMES)
  build_shape_priors.build(
    data.image_records, data.priors, CLASS_NAMES, num_priors=4
  )
  return data


def locate(root: str) -> ToyData:
  """Where everything is below the folder that `make` was given."""

  def in_root(*parts):
    return os.path.join(root, *parts)

  return ToyData(
    root=root,
    pix3d_dir=in_root('pix3d'),
    annotations=in_root('pix3d', 'pix3d.json'),
    library=in_root('library'),
    photo_records=in_root('records', 'images.tfrecord*'),
    scene_records=in_root('records', 'scenes.tfrecord*'),
    image_records=in_root('records', '[is]*.tfrecord*'),
    view_records=in_root('records', 'views.tfrecord*'),
    view_records_camera=in_root('camera', 'views.tfrecord*'),
    medoids=in_root('medoids.npz'),
    medoids_camera=in_root('medoids_camera.npz'),
    priors=in_root('priors.npz'),
  )


def box_furniture() -> Dict[str, trimesh.Trimesh]:
  """Eight CADs of boxes, by '<class>/<name>'; front +z, +y up, centred."""
  bench = [((1.8, 0.4, 0.8), (0, 0.2, 0)), ((1.8, 0.45, 0.2), (0, 0.6, -0.3))]
  round_table = trimesh.util.concatenate(
    [
      trimesh.creation.cylinder(
        radius=radius,
        height=height,
        sections=32,
        transform=_upright(low + height / 2),
      )
      for radius, height, low in (
        (0.3, 0.05, 0.0),
        (0.05, 0.65, 0.05),
        (0.6, 0.05, 0.7),
      )
    ]
  )
  parts = {
    'chair/high': _chair(0.7),
    'chair/low': _chair(0.3),
    'chair/stool': _table(0.4, 0.4, 0.6),
    'sofa/straight': bench,
    CHIRAL_CAD: bench + [((0.7, 0.4, 0.9), (0.55, 0.2, 0.85))],
    'table/long': _table(1.6, 0.8, 0.7),
    'table/square': _table(0.9, 0.9, 0.5),
  }
  cads = {cad_id: _assemble(boxes) for cad_id, boxes in parts.items()}
  cads['table/round'] = round_table
  for mesh in cads.values():
    mesh.apply_translation(-mesh.bounds.mean(axis=0))
  return cads


def _table(width: float, depth: float, height: float) -> List[Tuple]:
  """Four legs and a top: boxes as (extents, centre)."""
  x, z = width / 2 - 0.03, depth / 2 - 0.03
  legs = [
    ((0.06, height, 0.06), (sign_x * x, height / 2, sign_z * z))
    for sign_x in (-1, 1)
    for sign_z in (-1, 1)
  ]
  return legs + [((width, 0.05, depth), (0, height, 0))]


def _chair(back: float) -> List[Tuple]:
  return _table(0.5, 0.5, 0.48) + [
    ((0.5, back, 0.06), (0, 0.51 + back / 2, -0.22))
  ]


def _assemble(boxes: List[Tuple]) -> trimesh.Trimesh:
  return trimesh.util.concatenate(
    [
      trimesh.creation.box(
        extents, trimesh.transformations.translation_matrix(center)
      )
      for extents, center in boxes
    ]
  )


def _upright(height: float) -> np.ndarray:
  matrix = trimesh.transformations.rotation_matrix(np.pi / 2, [1, 0, 0])
  matrix[1, 3] = height
  return matrix


def _write_scenes(library: str, output_dir: str) -> None:
  cads = sorted(box_furniture())
  drawers = {
    cad: renderer.Renderer(meshes.load(os.path.join(library, cad, 'model.ply')))
    for cad in cads
  }
  with record_writer.RecordWriter(output_dir, 'scenes', num_shards=2) as writer:
    for index in range(NUM_SCENES):
      writer.write(_scene(index, cads, drawers))


def _scene(index: int, cads: List[str], drawers: Dict[str, renderer.Renderer]):
  """A record with 1 + index % 3 objects side by side, nearer ones in front."""
  rng = np.random.default_rng(index)
  # Off the middle, so that a flip that forgets the principal point shows.
  intrinsics = (_FOCAL, _FOCAL, _WIDTH / 2 + 8, _HEIGHT / 2 - 4)
  image = rng.integers(90, 140, (_HEIGHT, _WIDTH, 1)).repeat(3, axis=2)
  nearest = np.full((_HEIGHT, _WIDTH), np.inf)
  owner = np.full((_HEIGHT, _WIDTH), -1)
  count = 1 + index % 3
  poses = []
  for place in range(count):
    cad = cads[(index + 3 * place) % len(cads)]
    rotation = _look_at_rotation(rng)
    translation = np.array(
      [
        1.3 * (place - (count - 1) / 2) + 0.1,
        rng.normal(0, 0.1),
        rng.uniform(3.5, 4.5),
      ]
    )
    poses.append((cad, rotation, translation))
    drawn = drawers[cad].render(
      rotation, translation, intrinsics, _HEIGHT, _WIDTH
    )
    front = drawn.mask & (drawn.depth < nearest)
    nearest[front], owner[front] = drawn.depth[front], place
    image[front] = drawn.shaded[front, None] * rng.uniform(120, 250, 3)
  objects = [
    _object(
      cad, rotation, translation, owner == place, intrinsics, drawers[cad], rng
    )
    for place, (cad, rotation, translation) in enumerate(poses)
  ]
  return record_examples.image_example(
    views.encode_png(image.astype(np.uint8)),
    f'scenes/{index}.png',
    100 + index,
    intrinsics,
    objects,
  )


def _look_at_rotation(rng: np.random.Generator) -> np.ndarray:
  """Turned by up to 60 degrees, seen from 20 degrees above; front to camera."""
  turn = np.pi + rng.uniform(-1.0, 1.0)
  around = trimesh.transformations.rotation_matrix(turn, [0, 1, 0])
  tilt = trimesh.transformations.rotation_matrix(-0.35, [1, 0, 0])
  return (tilt @ around)[:3, :3]


def _object(cad, rotation, translation, mask, intrinsics, drawer, rng):
  rows, columns = np.nonzero(mask)
  label_name = cad.split('/')[0]
  return record_examples.ObjectRecord(
    label=1 + CLASS_NAMES.index(label_name),
    label_name=label_name,
    box=(rows.min(), columns.min(), rows.max() + 1, columns.max() + 1),
    mask=mask,
    cad_id=cad,
    mesh=f'{cad}/model.ply',
    rotation=rotation,
    translation=translation,
    jittered_view=jittered_view.render(
      drawer, rotation, translation, intrinsics, 10.0, rng, cad
    ),
  )
