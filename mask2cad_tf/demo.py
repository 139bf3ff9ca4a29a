"""The main job on three real photos: predict, then measure.

Example:
  python -m mask2cad_tf.demo --output_dir=runs/demo

The photos are the Pix3D samples inside the installed tensorflow-graphics
package; the packaged model was not trained on them. Their two beds are among
the CADs of the default gallery. Every step is one of the project's commands,
printed before it runs.
"""

import json
import os
import pathlib
import subprocess
import sys
import time
from typing import Any
from typing import Dict
from typing import List
from typing import Mapping
from typing import NamedTuple
from typing import Optional
from typing import Sequence

import numpy as np
from absl import flags
from PIL import Image

from mask2cad_tf import bound_process
from mask2cad_tf import command_line
from mask2cad_tf.evaluation import mask_iou
from mask2cad_tf.geometry import box_overlap
from mask2cad_tf.geometry import meshes
from mask2cad_tf.geometry import renderer
from mask2cad_tf.retrieval import default_gallery
from mask2cad_tf.scene import contact_sheet

FLAGS = flags.FlagValues()
flags.DEFINE_string(
  'output_dir', 'runs/demo', 'Where everything is written.', flag_values=FLAGS
)
flags.DEFINE_string(
  'model', None, 'Another model than the packaged one.', flag_values=FLAGS
)
flags.DEFINE_string(
  'gallery',
  None,
  'Another gallery than the default one; has the CADs of both beds.',
  flag_values=FLAGS,
)

_SENSOR_WIDTH = 32.0  # millimetres, of Pix3D's focal lengths


class StepFailed(RuntimeError):
  """A command of the demo ended with an error."""


class Step:
  """A command of the demo that runs, and its log."""

  def __init__(self, process: subprocess.Popen, log: pathlib.Path):
    self._process = process
    self._log = log

  def wait(self) -> None:
    """Until it has ended; raises StepFailed with the end of its log."""
    if self._process.wait():
      tail = ''.join(self._log.read_text().splitlines(keepends=True)[-15:])
      raise StepFailed(
        f'{self._process.args[2]} failed; the end of {self._log}:\n{tail}'
      )


class Runner:
  """Starts the project's commands, each with its own log."""

  def __init__(self, log_dir: pathlib.Path):
    self._log_dir = log_dir
    log_dir.mkdir(parents=True, exist_ok=True)

  def start(self, module: str, *arguments: str) -> Step:
    """Prints and starts `python -m module`."""
    lines = [f'\n$ python -m {module}', *arguments]
    print(' \\\n    '.join(lines), flush=True)
    log = self._log_dir / f'{module.rpartition(".")[2]}.log'
    with open(log, 'w') as stream:
      process = bound_process.start(
        [sys.executable, '-m', module, *arguments],
        stdout=stream,
        stderr=subprocess.STDOUT,
      )
    return Step(process, log)


class Finding(NamedTuple):
  """What was found in a photo, beside the truth about its one bed.

  Attributes:
    photo: its name.
    label: class of the best detection; '' where there is none.
    score: of it.
    box_iou: its box and the true one.
    cad_id: the CAD retrieved for it.
    true_cad_id: the CAD that is there.
    silhouette_iou: that CAD as posed and the true mask.
  """

  photo: str
  true_cad_id: str
  label: str = ''
  score: float = 0.0
  box_iou: float = 0.0
  cad_id: str = ''
  silhouette_iou: float = 0.0


def predict(
  runner: Runner,
  photos: pathlib.Path,
  annotations: Sequence[Mapping[str, Any]],
  root: pathlib.Path,
  chosen: Sequence[str],
) -> Step:
  """Begins to predict the photos, their focal lengths known."""
  flags_of_photos = []
  for photo in annotations:
    focal = photo['focal_length'] / _SENSOR_WIDTH * photo['img_size'][0]
    flags_of_photos += [
      f'--image={photos / photo["img"]}',
      f'--focal_length_px={focal:.1f}',
    ]
  return runner.start(
    'mask2cad_tf.predict', *flags_of_photos, f'--output_dir={root}', *chosen
  )


def evaluate(
  runner: Runner,
  photos: pathlib.Path,
  root: pathlib.Path,
  chosen: Sequence[str],
) -> Dict[str, Any]:
  """Makes records of the photos; returns what tables.json says of them."""
  runner.start(
    'tfrecords_tools.pix3d',
    f'--pix3d_dir={photos}',
    f'--annotations={photos}/pix3d.json',
    f'--output_dir={root}/records',
    '--num_shards=1',
  ).wait()
  runner.start(
    'mask2cad_tf.evaluate',
    f'--records={root}/records/images*',
    f'--output_dir={root}/evaluation',
    '--detections_only',
    '--refine',
    '--refine_objects=2',  # each photo is of one bed
    *chosen,
  ).wait()
  return json.loads((root / 'evaluation' / 'tables.json').read_text())


def read_finding(
  photos: pathlib.Path,
  photo: Mapping[str, Any],
  scene_folder: pathlib.Path,
  gallery: str,
) -> Finding:
  """Compares the best detection of a written scene with the truth.

  Args:
    photos: folder of the annotations' paths.
    photo: the annotation, as in pix3d.json.
    scene_folder: of predict, with scene.json.
    gallery: folder of the gallery that predict used.
  """
  name = pathlib.Path(photo['img']).stem
  true_cad_id = '/'.join(pathlib.Path(photo['model']).parts[1:3])
  scene = json.loads((scene_folder / 'scene.json').read_text())
  if not scene['objects']:
    return Finding(name, true_cad_id)
  best = max(scene['objects'], key=lambda found: found['score'])
  mask = np.asarray(Image.open(photos / photo['mask']).convert('L')) > 127
  mesh = meshes.load(os.path.join(gallery, best['mesh']))
  silhouette = renderer.Renderer(mesh).silhouette(
    np.array(best['rotation']),
    np.array(best['translation']),
    np.array([scene['camera'][key] for key in ('fx', 'fy', 'cx', 'cy')]),
    *mask.shape,
  )
  boxes = np.array([best['box'], photo['bbox']])[:, [1, 0, 3, 2]]
  return Finding(
    name,
    true_cad_id,
    best['label'],
    best['score'],
    float(box_overlap.box_iou(boxes[:1], boxes[1:])[0, 0]),
    best['cad_id'],
    mask_iou.mask_iou(silhouette, mask),
  )


def report(
  root: str,
  findings: Sequence[Finding],
  mesh_ap50: Optional[float],
  seconds: float,
  packaged: bool = True,
) -> str:
  """The demo's numbers as text.

  Args:
    root: where the files are.
    findings: one a photo.
    mesh_ap50: AP^mesh50 strict, percent; None where nothing is true.
    seconds: of the whole demo.
    packaged: whether the model is the packaged one.
  """
  lines = ['Three real photos of beds, the best detection of each.']
  if packaged:
    lines.append('The model was never trained on these photos.')
  lines += [f'  photo {found.photo}: {_describe(found)}' for found in findings]
  score = 'not defined' if mesh_ap50 is None else f'{mesh_ap50:.1f}'
  return '\n'.join(
    [
      *lines,
      f'  AP^mesh50 strict {score}, with refinement and the true depth; three '
      'photos are a sign of life, not a measurement.',
      f'  {seconds:.0f} seconds. Look at {root}/demo.png; open '
      f'{root}/<photo>/scene.html in a browser.',
    ]
  )


def _describe(found: Finding) -> str:
  if not found.label:
    return 'nothing found'
  same = found.cad_id == found.true_cad_id
  truth = 'the true one' if same else f'true: {found.true_cad_id}'
  return (
    f'{found.label} (score {found.score:.2f}), box IoU {found.box_iou:.2f}; '
    f'CAD {found.cad_id} ({truth}), silhouette IoU {found.silhouette_iou:.2f}'
  )


def main(argv: Sequence[str]) -> None:
  """Runs the demo and prints its numbers."""
  command_line.reject(argv[1:])
  start = time.time()
  _, gallery = default_gallery.choose(FLAGS.model, FLAGS.gallery)
  print(f'CADs: {gallery}, {time.time() - start:.0f} seconds')
  chosen: List[str] = [
    f'--{name}={FLAGS[name].value}'
    for name in ('model', 'gallery')
    if FLAGS[name].value
  ]
  photos = default_gallery.sample_photos()
  annotations = json.loads((photos / 'pix3d.json').read_text())
  root = pathlib.Path(FLAGS.output_dir)
  runner = Runner(root / 'logs')
  try:
    predicting = predict(runner, photos, annotations, root, chosen)
    try:
      tables = evaluate(runner, photos, root, chosen)  # meanwhile
    finally:
      predicting.wait()  # leaves no process behind
  except StepFailed as error:
    print(f'mask2cad_tf.demo: {error}', file=sys.stderr)
    sys.exit(2)
  findings = [
    read_finding(photos, photo, root / pathlib.Path(photo['img']).stem, gallery)
    for photo in annotations
  ]
  overlays = [root / found.photo / 'overlay.png' for found in findings]
  contact_sheet.write(overlays, root / 'demo.png')
  text = report(
    str(root),
    findings,
    tables['mesh_ap']['strict']['AP50'],
    time.time() - start,
    packaged=not FLAGS.model,
  )
  print(f'\n{text}')


if __name__ == '__main__':
  command_line.run('mask2cad_tf.demo', main, FLAGS)
