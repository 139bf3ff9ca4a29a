"""Image records as photos with their true objects."""

from typing import Any
from typing import Callable
from typing import Dict
from typing import Iterator
from typing import Tuple

import numpy as np
import tensorflow as tf

from mask2cad_tf import conventions
from mask2cad_tf.data import decoder as decoder_lib
from mask2cad_tf.data import record_files
from mask2cad_tf.evaluation import photo as photo_lib
from mask2cad_tf.geometry import posed_cad
from mask2cad_tf.geometry import rotations

# CAD id and mesh path inside the library -> `PosedCad.mesh`.
MeshFinder = Callable[[str, str], str]


def read(pattern: str, find_mesh: MeshFinder) -> Iterator[photo_lib.Photo]:
  """Photos of record files, one after the other.

  Args:
    pattern: glob of image records.
    find_mesh: where a true CAD's mesh is; not asked for objects without a CAD.

  Yields:
    Each photo; boxes, masks and intrinsics in its own pixels. An object without
    a CAD has the CAD id and mesh ''; its pose means nothing.

  Raises:
    FileNotFoundError: no record file matches.
    ValueError: a file is truncated, damaged or no TFRecord file.
  """
  decoder = decoder_lib.TfExampleDecoder(with_scan=True)
  paths = record_files.match(pattern)
  record_files.check_sizes(paths)
  for serialized in record_files.read(paths):
    decoded = {
      key: value.numpy()
      for key, value in decoder.decode(tf.constant(serialized)).items()
    }
    yield _photo(decoded, find_mesh)


def class_names(pattern: str) -> Tuple[str, ...]:
  """Class names of labels 1, 2, ... by the records' manifests.

  Args:
    pattern: glob of image records.

  Returns:
    Pix3D's or ScanNet's, unless a manifest says otherwise; then its names,
    and 'class <label>' where it has none.

  Raises:
    FileNotFoundError: no record file matches.
  """
  names: Dict[int, str] = {}
  for path in record_files.match(pattern):
    section = record_files.manifest_section(path)
    for entry in section['classes'] if section else ():
      names[entry['label']] = entry['name']
  for known in (conventions.PIX3D_CLASSES, conventions.SCANNET_CLASSES):
    if names.items() <= dict(enumerate(known, start=1)).items():
      return known
  return tuple(
    names.get(label, f'class {label}') for label in range(1, max(names) + 1)
  )


def _photo(
  decoded: Dict[str, np.ndarray], find_mesh: MeshFinder
) -> photo_lib.Photo:
  height, width = decoded['image'].shape[:2]
  is_crowd = decoded['groundtruth_is_crowd'].astype(bool)
  objects, crowds = (
    [
      _object(decoded, i, np.array([height, width] * 2), find_mesh)
      for i in np.flatnonzero(chosen)
    ]
    for chosen in (~is_crowd, is_crowd)
  )
  return photo_lib.Photo(
    source_id=decoded['source_id'].decode(),
    image=decoded['image'],
    intrinsics=decoded['intrinsics'].astype(np.float64),
    objects=objects,
    crowds=crowds,
    scene_id=b''.join(decoded['scene_id']).decode(),
    camera_to_world=(
      decoded['camera_to_world'][0].astype(np.float64)
      if len(decoded['camera_to_world'])
      else None
    ),
  )


def _object(
  decoded: Dict[str, np.ndarray],
  index: int,
  box_size: np.ndarray,
  find_mesh: MeshFinder,
) -> posed_cad.PosedCad:
  def field(name: str) -> np.ndarray:
    return decoded[f'groundtruth_{name}'][index]

  cad_id = field('cad_ids').decode()
  return posed_cad.PosedCad(
    label=int(field('classes')),
    cad_id=cad_id,
    mesh=find_mesh(cad_id, field('cad_meshes').decode()) if cad_id else '',
    rotation=rotations.matrix_from_quaternion(field('rotations')),
    translation=field('translations').astype(np.float64),
    box=field('boxes') * box_size,
    mask=_mask(field('instance_masks_png')),
    depth=float(field('depths')),
    **_scan_fields(decoded, index),
  )


def _scan_fields(decoded: Dict[str, np.ndarray], index: int) -> Dict[str, Any]:
  """What only records of scans have."""
  fields: Dict[str, Any] = {}
  if len(decoded['groundtruth_cad_scales']):
    fields['scale'] = decoded['groundtruth_cad_scales'][index].astype(
      np.float64
    )
  if len(decoded['groundtruth_symmetries']):
    fields['symmetry'] = int(decoded['groundtruth_symmetries'][index])
  return fields


def _mask(png: bytes) -> np.ndarray:
  return tf.io.decode_png(png, channels=1).numpy()[..., 0] > 127
