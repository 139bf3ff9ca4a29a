"""Do others read our scenes? glTF's validator, trimesh and Blender on each.

  python -m tests.benchmarks.glb_readers --scenes='OUT/*/scene.glb'

Needs npm (the validator is put into build/) and `make cycles` (Blender as a
module). Prints a line a scene and the sum; exit status 1 where a reader finds
an error, misses an object or sees it elsewhere.
"""

import glob
import json
import os
import pathlib
import subprocess
import sys
from typing import Dict
from typing import List
from typing import Sequence

import numpy as np
import trimesh
from absl import app
from absl import flags

_SCENES = flags.DEFINE_string('scenes', None, 'GLB files, a glob.')
_BLENDER = flags.DEFINE_string(
  'blender_python', '.venv-cycles/bin/python', 'A Python that has bpy.'
)
_BUILD = pathlib.Path('build/gltf')
_VALIDATOR = 'gltf-validator@2.0.0-dev.3.10'
_VALIDATE = """
const fs = require('fs');
const validator = require('gltf-validator');
(async () => {
  for (const path of process.argv.slice(2)) {
    const bytes = new Uint8Array(fs.readFileSync(path));
    const {issues} = await validator.validateBytes(bytes);
    const serious = issues.messages.filter((m) => m.severity < 2);
    console.log(JSON.stringify({
      errors: issues.numErrors,
      warnings: issues.numWarnings,
      codes: [...new Set(serious.map((m) => m.code))],
    }));
  }
})();
"""
# Blender turns glTF's +y up into +z up: (x, y, z) -> (x, -z, y).
_IMPORT = """
import json, sys
import bpy
for path in sys.argv[1:]:
  bpy.ops.wm.read_factory_settings(use_empty=True)
  bpy.ops.import_scene.gltf(filepath=path)
  bounds, cameras = {}, 0
  for thing in bpy.data.objects:
    cameras += thing.type == 'CAMERA'
    if thing.type == 'MESH':
      points = [thing.matrix_world @ v.co for v in thing.data.vertices]
      points = [(p.x, p.z, -p.y) for p in points]
      low, high = map(min, zip(*points)), map(max, zip(*points))
      bounds[thing.name] = [list(low), list(high)]
  print('READ', json.dumps({'bounds': bounds, 'cameras': cameras}), flush=True)
"""


def _lines(command: Sequence[str], mark: str = '') -> List[dict]:
  result = subprocess.run(command, check=True, capture_output=True, text=True)
  return [
    json.loads(line[len(mark) :])
    for line in result.stdout.splitlines()
    if line.startswith(mark or '{')
  ]


def _validate(paths: Sequence[str]) -> List[dict]:
  if not (_BUILD / 'node_modules').exists():
    _BUILD.mkdir(parents=True, exist_ok=True)
    subprocess.run(
      ['npm', 'install', '--no-audit', '--no-fund', _VALIDATOR],
      cwd=_BUILD,
      check=True,
      stdout=subprocess.DEVNULL,
    )
  script = _BUILD / 'validate.cjs'
  script.write_text(_VALIDATE)
  return _lines(['node', str(script), *map(os.path.abspath, paths)])


def _trimesh(path: str) -> Dict[str, np.ndarray]:
  """Bounds [2, 3] of every object, by name."""
  scene = trimesh.load_scene(path)
  return {
    node: scene.geometry[name].copy().apply_transform(pose).bounds
    for node in scene.graph.nodes_geometry
    for pose, name in [scene.graph[node]]
  }


def main(argv):
  """Reads every scene three times."""
  del argv
  paths = sorted(glob.glob(_SCENES.value))
  verdicts = _validate(paths)
  blender = _lines([_BLENDER.value, '-c', _IMPORT, *paths], 'READ ')
  failed, sizes, objects = [], [], 0
  for path, verdict, seen in zip(paths, verdicts, blender):
    expected = _trimesh(path)
    sizes.append(os.path.getsize(path))
    objects += len(expected)
    same = len(expected) == len(seen['bounds']) and seen['cameras'] == 1
    for name, bounds in expected.items():
      found = seen['bounds'].get(name[:63])  # Blender's names end there
      scale = np.abs(bounds).max()
      same &= found is not None and np.allclose(
        found, bounds, atol=1e-4 * scale
      )
    if verdict['errors'] or not same:
      failed.append(path)
    print(
      f'{path}: {sizes[-1] / 1e6:.2f} MB, {len(expected)} objects, '
      f'{verdict["errors"]} errors, {verdict["warnings"]} warnings '
      f'{" ".join(verdict["codes"])}, Blender {"agrees" if same else "DIFFERS"}'
    )
  median, largest = np.median(sizes) / 1e6, max(sizes) / 1e6
  print(
    f'{len(paths)} scenes, {objects} objects; {len(failed)} failed; size: '
    f'median {median:.2f} MB, largest {largest:.2f} MB.'
  )
  sys.exit(1 if failed else 0)


if __name__ == '__main__':
  flags.mark_flag_as_required('scenes')
  app.run(main)
