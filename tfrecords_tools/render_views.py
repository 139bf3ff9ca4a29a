r"""CAD library + pose medoids -> view records: 16 canonical views per CAD.

Example:
  python -m tfrecords_tools.render_views --library=pix3d/model \
    --medoids=train/medoids.npz --output_dir=train

Writes <output_dir>/views.tfrecord-* and a section of manifest.json, with each
CAD's symmetry, its mirror plane and its group of near-duplicates.
"""

import os
import sys
from typing import Dict
from typing import List
from typing import Sequence
from typing import Tuple

import numpy as np
import tensorflow as tf
import trimesh
from absl import flags

from mask2cad_tf import command_line
from mask2cad_tf import conventions
from mask2cad_tf import progress
from mask2cad_tf.geometry import cad_folder
from mask2cad_tf.geometry import meshes
from mask2cad_tf.geometry import renderer
from mask2cad_tf.geometry import rotations
from mask2cad_tf.geometry import symmetry
from mask2cad_tf.geometry import view_medoids
from mask2cad_tf.geometry import views
from tfrecords_tools import record_examples
from tfrecords_tools import record_writer

FLAGS = flags.FlagValues()
flags.DEFINE_string(
  'library',
  None,
  'CAD library: <class>/<shape>/*.{obj,glb,ply,off}.',
  required=True,
  flag_values=FLAGS,
)
flags.DEFINE_string(
  'medoids',
  None,
  '.npz of tfrecords_tools.build_pose_medoids.',
  required=True,
  flag_values=FLAGS,
)
flags.DEFINE_string(
  'output_dir',
  None,
  'Folder for the records.',
  required=True,
  flag_values=FLAGS,
)
flags.DEFINE_list(
  'class_names',
  list(conventions.PIX3D_CLASSES),
  'As model.class_names.',
  flag_values=FLAGS,
)
flags.DEFINE_integer('num_shards', 1, 'Record files.', flag_values=FLAGS)
flags.DEFINE_boolean(
  'skip_broken',
  False,
  'Leave out CADs that cannot be read and list them, '
  'instead of stopping at the first.',
  flag_values=FLAGS,
)

_EXTENT_TOLERANCE = 0.05  # near-duplicates' box edges differ less, relatively


def convert(
  library: str,
  medoids: str,
  output_dir: str,
  class_names: Sequence[str] = conventions.PIX3D_CLASSES,
  num_shards: int = 1,
  skip_broken: bool = False,
) -> List[str]:
  """Writes the view records of a library.

  Args:
    library: folder of the CADs.
    medoids: .npz of the class medoids.
    output_dir: where views.tfrecord-* and manifest.json go.
    class_names: known classes; ids are 1 + index.
    num_shards: number of files.
    skip_broken: leave out CADs with bad meshes instead of raising.

  Returns:
    Why CADs were left out, one sentence each.

  Raises:
    ValueError, OSError: bad input, unless skip_broken; nothing is written.
  """
  cads = cad_folder.list_cads(library, class_names)
  names = sorted({cad.label_name for cad in cads})
  quaternions = view_medoids.load(medoids, names)[0]
  settings = {'class_names': list(class_names)}
  groups: Dict[str, List[Tuple[str, trimesh.Trimesh]]] = {}
  line = progress.Line('render_views', len(cads), 'CADs')
  writer = record_writer.RecordWriter(output_dir, 'views', num_shards, settings)
  with writer, line:
    for cad in cads:
      line.add()
      try:
        mesh = meshes.load(
          os.path.join(library, cad_folder.representative(library, cad))
        )
      except meshes.MeshError as error:
        if not skip_broken:
          raise
        writer.skip(f'{cad.cad_id}: {error}')
        continue
      group = _group(cad.cad_id, mesh, groups.setdefault(cad.label_name, []))
      writer.write(
        example(
          mesh,
          cad.cad_id,
          group,
          1 + list(class_names).index(cad.label_name),
          quaternions[1 + names.index(cad.label_name)],
        )
      )
    if not writer.num_examples:
      raise ValueError(
        f'{library!r} has no CAD that can be read; nothing was written.'
      )
    return writer.skipped


def example(
  mesh: trimesh.Trimesh,
  cad_id: str,
  group: str,
  label: int,
  quaternions: np.ndarray,
) -> tf.train.Example:
  """View record of one CAD.

  Args:
    mesh: the CAD.
    cad_id: '<class>/<shape>'.
    group: cad_id of the first of its near-duplicates.
    label: class id.
    quaternions: [NUM_VIEWS, 4], the rotations it is rendered at.

  Returns:
    The example.
  """
  drawer = renderer.Renderer(mesh)
  return record_examples.view_example(
    cad_id,
    group,
    label,
    [
      views.encode_png(views.render_view(drawer, rotation))
      for rotation in rotations.matrix_from_quaternion(quaternions)
    ],
    quaternions,
    symmetry.symmetry_order(mesh),
    symmetry.mirror_normal(mesh),
  )


def _group(
  cad_id: str,
  mesh: trimesh.Trimesh,
  founders: List[Tuple[str, trimesh.Trimesh]],
) -> str:
  """The group's founder, by comparison with those of the class so far."""
  extents = mesh.extents / mesh.extents.max()
  for founder, other in founders:
    difference = np.abs(extents - other.extents / other.extents.max())
    if difference.max() < _EXTENT_TOLERANCE and symmetry.are_duplicates(
      mesh, other
    ):
      return founder
  founders.append((cad_id, mesh))
  return cad_id


def main(argv: Sequence[str]) -> None:
  """Runs the tool with its flags."""
  command_line.reject(argv[1:])
  for reason in convert(
    FLAGS.library,
    FLAGS.medoids,
    FLAGS.output_dir,
    FLAGS.class_names,
    FLAGS.num_shards,
    FLAGS.skip_broken,
  ):
    print(f'skipped {reason}', file=sys.stderr)


if __name__ == '__main__':
  command_line.run('tfrecords_tools.render_views', main, FLAGS)
