r"""A small ScanNet with Scan2CAD annotations, rendered from a CAD library.

Example:
  python -m tfrecords_tools.mini_scannet --library=library \
    --output_dir=mini_scannet --num_scenes=3 --frames_per_scene=20

ScanNet's photos and Scan2CAD's annotations are given out on request only. This
writes furnished rooms in their layout, so that the converter can be tried:

  OUT/scannet_frames_25k/scene0000_00/color/000000.jpg
                                      pose/000000.txt      camera to scan
                                      label/000000.png     NYU40, 8 bit
                                      instance/000000.png  label * 1000 + id
                                      intrinsics_color.txt, _depth.txt
  OUT/full_annotations.json
  OUT/shapenet/<catid>/<id>/models/model_normalized.obj, .json
  OUT/scannetv2_train.txt, scannetv2_val.txt
  OUT/truth.json   what no real scan tells: every frame's objects, camera frame

The instance id is 1 + the place in aligned_models. The first scan has one
frame more, without a pose (-inf), as ScanNet has where tracking was lost.
"""

import json
import os
from typing import Any
from typing import Dict
from typing import List
from typing import Sequence
from typing import Tuple

import numpy as np
from absl import flags

from mask2cad_tf import command_line
from mask2cad_tf.geometry import cad_folder
from mask2cad_tf.geometry import meshes
from tfrecords_tools import mini_scannet_layout
from tfrecords_tools import mini_scannet_scan

FLAGS = flags.FlagValues()
flags.DEFINE_string(
  'library',
  None,
  'CAD library <class>/<shape>/*.{obj,glb,ply,off}.',
  required=True,
  flag_values=FLAGS,
)
flags.DEFINE_string(
  'output_dir', None, 'New folder.', required=True, flag_values=FLAGS
)
flags.DEFINE_integer(
  'num_scenes', 3, 'Scans.', lower_bound=2, flag_values=FLAGS
)
flags.DEFINE_integer(
  'frames_per_scene',
  20,
  'Photos with a pose.',
  lower_bound=1,
  flag_values=FLAGS,
)
flags.DEFINE_integer(
  'num_objects', 7, 'CADs in a scan.', lower_bound=1, flag_values=FLAGS
)
flags.DEFINE_integer(
  'image_width',
  648,
  "Pixels; ScanNet's photos have 1296.",
  lower_bound=16,
  flag_values=FLAGS,
)
flags.DEFINE_integer(
  'seed', 0, 'Of everything.', lower_bound=0, flag_values=FLAGS
)


def write(
  library: str,
  output_dir: str,
  num_scenes: int = 3,
  frames_per_scene: int = 20,
  num_objects: int = 7,
  image_width: int = 648,
  seed: int = 0,
) -> None:
  """Writes everything.

  Args:
    library: folder of CADs.
    output_dir: must not hold anything yet.
    num_scenes: scans; the last one validates.
    frames_per_scene: photos with a pose.
    num_objects: CADs in a scan.
    image_width: pixels, 4:3 as ScanNet's.
    seed: of everything.

  Raises:
    FileExistsError: the output folder is not empty.
    ValueError, OSError: a library that cannot be used.
  """
  if os.path.isdir(output_dir) and os.listdir(output_dir):
    raise FileExistsError(
      f'{output_dir!r} is not empty. Remove it or give another --output_dir.'
    )
  cads = _Cads(library)
  annotations, truth = [], {}
  scenes = [f'scene{index:04d}_00' for index in range(num_scenes)]
  for index, scene_id in enumerate(scenes):
    rng = np.random.default_rng([seed, index])
    room = mini_scannet_layout.furnish(
      cads.choose(num_objects, rng), num_objects, rng
    )
    scan = mini_scannet_scan.ScanWriter(output_dir, scene_id, room, rng)
    truth.update(scan.write_frames(frames_per_scene, image_width, rng))
    if index == 0:
      scan.write_lost_frame(frames_per_scene)
    annotations.append(scan.annotation(rng))
    for item in room.objects:
      _write_cad(os.path.join(output_dir, 'shapenet'), item.cad)
  _write_json(os.path.join(output_dir, 'full_annotations.json'), annotations)
  _write_json(os.path.join(output_dir, 'truth.json'), truth)
  for part, names in (('train', scenes[:-1]), ('val', scenes[-1:])):
    path = os.path.join(output_dir, f'scannetv2_{part}.txt')
    with open(path, 'w', encoding='utf-8') as file:
      file.write(''.join(f'{name}\n' for name in names))


class _Cads:
  """A library's CADs, normalised when they are first drawn."""

  def __init__(self, library: str):
    self._root = library
    self._entries = cad_folder.list_cads(library)
    self._loaded: Dict[str, Any] = {}

  def choose(
    self, count: int, rng: np.random.Generator
  ) -> List[mini_scannet_layout.NormalizedCad]:
    """Up to `count` CADs of different classes where there are enough."""
    order = [self._entries[i] for i in rng.permutation(len(self._entries))]
    chosen: List[mini_scannet_layout.NormalizedCad] = []
    seen: Dict[str, int] = {}
    # The first of every class, then the second ones, ...
    ranked = []
    for entry in order:
      seen[entry.label_name] = seen.get(entry.label_name, 0) + 1
      ranked.append((seen[entry.label_name], entry))
    for _, entry in sorted(ranked, key=lambda pair: pair[0]):
      cad = self._load(entry)
      if cad is not None:
        chosen.append(cad)
      if len(chosen) == count:
        break
    if not chosen:
      raise ValueError(
        f'{self._root!r} has no CAD of a class that ScanNet could show: '
        f'{sorted(seen)}.'
      )
    return chosen

  def _load(self, entry: cad_folder.CadEntry):
    if entry.cad_id not in self._loaded:
      mesh = meshes.load(os.path.join(self._root, entry.mesh_paths[0]))
      self._loaded[entry.cad_id] = mini_scannet_layout.normalize(
        entry.cad_id, mesh
      )
    return self._loaded[entry.cad_id]


def _write_cad(root: str, cad: mini_scannet_layout.NormalizedCad) -> None:
  path = os.path.join(root, cad.path)
  if os.path.exists(path):
    return
  os.makedirs(os.path.dirname(path))
  vertices, faces = np.asarray(cad.mesh.vertices), np.asarray(cad.mesh.faces)
  with open(path, 'w', encoding='utf-8') as file:
    file.writelines(f'v {x:.6f} {y:.6f} {z:.6f}\n' for x, y, z in vertices)
    file.writelines(f'f {a} {b} {c}\n' for a, b, c in faces + 1)
  _write_json(
    os.path.splitext(path)[0] + '.json',
    {
      'id': cad.shape,
      'numVertices': len(vertices),
      'min': vertices.min(axis=0).tolist(),
      'max': vertices.max(axis=0).tolist(),
      'centroid': vertices.mean(axis=0).tolist(),
    },
  )


def _write_json(path: str, content: Any) -> None:
  with open(path, 'w', encoding='utf-8') as file:
    json.dump(content, file)


def main(argv: Sequence[str]) -> None:
  """Runs the tool with its flags."""
  command_line.reject(argv[1:])
  names: Tuple[str, ...] = (
    'library',
    'output_dir',
    'num_scenes',
    'frames_per_scene',
    'num_objects',
    'image_width',
    'seed',
  )
  write(**{name: FLAGS[name].value for name in names})


if __name__ == '__main__':
  command_line.run('tfrecords_tools.mini_scannet', main, FLAGS)
