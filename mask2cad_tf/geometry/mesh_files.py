"""Copies of mesh files, with the materials and textures that an OBJ names."""

import os
import shutil

from mask2cad_tf.foreign import paths


def copy(source: str, target: str) -> None:
  """Copies a mesh byte by byte, an OBJ's materials and textures with it.

  Materials and textures are copied where they lie in or under the mesh's own
  folder; others are left out, as a reference to them would not survive.

  Args:
    source: a mesh file.
    target: where it goes; folders are made.
  """
  os.makedirs(os.path.dirname(target), exist_ok=True)
  shutil.copyfile(source, target)
  if not source.lower().endswith('.obj'):
    return
  for material in _references(source, ('mtllib',)):
    if _copy_beside(source, target, material):
      library = os.path.join(os.path.dirname(source), material)
      for texture in _references(library, ('map_', 'bump', 'disp', 'decal')):
        _copy_beside(source, target, texture)


def _references(path: str, keywords: tuple[str, ...]) -> list[str]:
  """File names that the lines of an OBJ or MTL with a keyword end in."""
  with open(path, encoding='utf-8', errors='replace') as file:
    lines = [line.split() for line in file if line.strip()]
  return [
    line[-1].replace('\\', '/')
    for line in lines
    if len(line) > 1 and line[0].lower().startswith(keywords)
  ]


def _copy_beside(source: str, target: str, name: str) -> bool:
  """Copies a file named by a mesh, if it lies in or under the mesh's folder."""
  name = os.path.normpath(name)
  folder = os.path.dirname(source)
  original = os.path.join(folder, name)
  if (
    paths.fault(name)
    or not os.path.isfile(original)
    or not paths.stays(folder or '.', name)
    or os.path.samefile(original, source)
  ):
    return False
  copied = os.path.join(os.path.dirname(target), name)
  os.makedirs(os.path.dirname(copied), exist_ok=True)
  shutil.copyfile(original, copied)
  return True
