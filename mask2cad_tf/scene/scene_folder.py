"""A photo's output folder: overlay.png, scene.html, scene.glb, scene.json."""

import os
import shutil
from typing import Mapping
from typing import Optional
from typing import Sequence

from mask2cad_tf.geometry import ground_plane
from mask2cad_tf.scene import assemble
from mask2cad_tf.scene import cad_meshes
from mask2cad_tf.scene import glb
from mask2cad_tf.scene import overlay
from mask2cad_tf.scene import photo as photo_lib
from mask2cad_tf.scene import scene_json
from mask2cad_tf.scene import scene_page

OVERLAY = 'overlay.png'
_FILES = (OVERLAY, glb.GLB, glb.JSON, scene_page.PAGE)


def write(
  folder: str,
  photo: photo_lib.Photo,
  objects: Sequence[assemble.SceneObject],
  cads: cad_meshes.CadMeshes,
  model: Mapping[str, str],
  plane: Optional[ground_plane.Plane] = None,
) -> None:
  """Writes the four files; none is replaced before all are complete.

  Other files of the folder stay.

  Args:
    folder: made where it is not there.
    photo: the photo.
    objects: found in it.
    cads: meshes of the objects' CADs.
    model: as `scene_json.describe` takes it.
    plane: that objects stand on.

  Raises:
    NotADirectoryError: a file is in the folder's place.
  """
  if os.path.exists(folder) and not os.path.isdir(folder):
    raise NotADirectoryError(
      f'{folder!r} is a file; a folder is to be written there. Remove it or '
      'give another --output_dir.'
    )
  os.makedirs(folder, exist_ok=True)
  new = os.path.join(folder, f'.new-{os.getpid()}')
  os.mkdir(new)
  try:
    overlay.draw(photo, objects, cads).save(os.path.join(new, OVERLAY))
    glb.write(
      os.path.join(new, glb.GLB),
      [found.cad for found in objects],
      cads,
      photo.camera,
    )
    scene = scene_json.describe(photo, objects, model, plane)
    scene_json.dump(scene, os.path.join(new, glb.JSON))
    scene_page.write(
      os.path.join(new, scene_page.PAGE), scene, photo.image, cads
    )
    for name in _FILES:
      os.replace(os.path.join(new, name), os.path.join(folder, name))
  finally:
    shutil.rmtree(new, ignore_errors=True)
    if not os.listdir(folder):
      os.rmdir(folder)


def is_complete(folder: str) -> bool:
  """Whether all files of a scene are there."""
  return all(os.path.isfile(os.path.join(folder, name)) for name in _FILES)
