"""The whole path on three real photos: data, training, gallery, scenes.

Learns the three Pix3D photos inside the installed tensorflow-graphics package
by heart with the lite configuration, then predicts them. A proof of the
plumbing, not a trained model. Every step is one of the project's commands,
printed before it runs.

Example:
  python -m mask2cad_tf.demo --output_dir=runs/demo
"""

import importlib.util
import json
import pathlib
import re
import shutil
import subprocess
import sys
import time
from typing import Any
from typing import List
from typing import Mapping
from typing import Optional
from typing import Sequence
from typing import Tuple

import numpy as np
import tqdm
from absl import flags
from PIL import Image

from mask2cad_tf import command_line
from mask2cad_tf.evaluation import mask_iou
from mask2cad_tf.geometry.furniture import catalogue
from mask2cad_tf.scene import contact_sheet
from mask2cad_tf.scene import glb

FLAGS = flags.FlagValues()
flags.DEFINE_string(
  'output_dir', 'runs/demo', 'Where everything is written.', flag_values=FLAGS
)
flags.DEFINE_integer(
  'num_steps', 400, 'Training steps.', lower_bound=1, flag_values=FLAGS
)

_CONFIG = pathlib.Path(__file__).parents[1] / 'configs' / 'demo.yaml'
Ious = List[Tuple[str, float]]  # (photo, silhouette IoU with its true mask)
_DECAY_STEPS = 'trainer.optimizer_config.learning_rate.cosine.decay_steps'
# What the trainer logs every `steps_per_loop` steps.
_REPORT = re.compile(
  r"train \| step:\s+(\d+) .*?'total_loss': ([\d.e+-]+)", re.DOTALL
)


class StepFailed(RuntimeError):
  """A command of the demo ended with an error."""


class Runner:
  """Runs the project's commands one after the other, each with its own log."""

  def __init__(self, log_dir: pathlib.Path):
    self._log_dir = log_dir
    self._count = 0
    log_dir.mkdir(parents=True, exist_ok=True)

  def start(self, module: str, *arguments: str):
    """Prints and starts `python -m module`; returns (process, log path)."""
    self._count += 1
    log = self._log_dir / f'{self._count:02d}_{module.rpartition(".")[2]}.log'
    print(
      f'\n$ python -m {module} \\\n    ' + ' \\\n    '.join(arguments),
      flush=True,
    )
    with open(log, 'w') as stream:
      process = subprocess.Popen(
        [sys.executable, '-m', module, *arguments],
        stdout=stream,
        stderr=subprocess.STDOUT,
      )
    return process, log

  def run(self, module: str, *arguments: str) -> None:
    """Runs a command to its end."""
    self.finish(*self.start(module, *arguments))

  def finish(self, process: subprocess.Popen, log: pathlib.Path) -> None:
    """Waits for a command; raises StepFailed with the end of its log."""
    if process.wait():
      tail = ''.join(log.read_text().splitlines(keepends=True)[-15:])
      raise StepFailed(f'the command above failed; the end of {log}:\n{tail}')


def sample_photos() -> pathlib.Path:
  """Folder of the real Pix3D samples inside the tensorflow-graphics package."""
  package = importlib.util.find_spec('tensorflow_graphics')
  return (
    pathlib.Path(package.submodule_search_locations[0])
    / 'datasets'
    / 'pix3d'
    / 'fakes'
  )


def make_library(photos: pathlib.Path, library: pathlib.Path) -> None:
  """The embedded library's beds and the two real ones of the photos."""
  catalogue.write_library(str(library), class_names=['bed'])
  shutil.copytree(photos / 'model', library, dirs_exist_ok=True)


def progress(log: str) -> Tuple[int, Optional[float]]:
  """The last step and total loss that a trainer's log reports; 0, None."""
  reports = _REPORT.findall(log)
  if not reports:
    return 0, None
  step, loss = reports[-1]
  return int(step), float(loss)


def train(runner: Runner, root: pathlib.Path, num_steps: int) -> None:
  """Runs the trainer; its log becomes a progress bar."""
  overrides = ','.join(
    [
      f'task.train_data.input_path={root}/records/images*',
      f'task.train_data.views_path={root}/records/views*',
      f'task.model.shapemask.priors_path={root}/records/shape_priors.npz',
      f'task.model.pose.medoids_path={root}/records/pose_medoids.npz',
      f'trainer.train_steps={num_steps}',
      f'{_DECAY_STEPS}={num_steps}',
    ]
  )
  process, log = runner.start(
    'mask2cad_tf.train',
    '--experiment=mask2cad_lite',
    '--mode=train',
    f'--config_file={_CONFIG}',
    f'--model_dir={root}/model',
    f'--params_override={overrides}',
  )
  with tqdm.tqdm(total=num_steps, unit='step', dynamic_ncols=True) as bar:
    while process.poll() is None:
      time.sleep(1.0)
      step, loss = progress(log.read_text(errors='replace'))
      if loss is not None:
        bar.set_postfix_str(f'loss {loss:.2f}')
        bar.update(step - bar.n)
  runner.finish(process, log)


def predict(runner: Runner, photos: pathlib.Path, root: pathlib.Path) -> Ious:
  """Predicts each photo with its known focal length.

  Returns:
    Each photo's name, and the IoU of its written scene with the true mask.
  """
  ious = []
  for photo in json.loads((photos / 'pix3d.json').read_text()):
    focal = photo['focal_length'] / 32.0 * photo['img_size'][0]
    runner.run(
      'mask2cad_tf.predict',
      f'--image={photos / photo["img"]}',
      f'--model={root}/model',
      f'--gallery={root}/gallery',
      f'--output_dir={root}',
      f'--focal_length_px={focal:.1f}',
    )
    name = pathlib.Path(photo['img']).stem
    silhouette = glb.scene_silhouette(str(root / name))
    mask = np.asarray(Image.open(photos / photo['mask']).convert('L')) > 127
    ious.append((name, mask_iou.mask_iou(silhouette, mask)))
  return ious


def report(
  root: str, tables: Mapping[str, Any], ious: Ious, seconds: float
) -> str:
  """The demo's numbers as text; `tables` are evaluate's."""
  lines = [
    'Three real photos learnt by heart: a proof of the plumbing, not a '
    'trained model.',
    f'  AP^mesh strict  {tables["mesh_ap"]["strict"]["AP"]:6.1f}',
    f'  AP^mask50       {tables["mask_ap"]["AP50"]:6.1f}',
  ]
  lines += [
    f'  photo {name}: silhouette of the scene over the true mask, IoU {iou:.3f}'
    for name, iou in ious
  ]
  lines += [
    f'  {seconds / 60:.1f} minutes. Look at {root}/demo.png and at '
    f'overlay.png, scene.glb, scene.json in {root}/<photo>/'
  ]
  return '\n'.join(lines)


def prepare(runner: Runner, photos: pathlib.Path, root: pathlib.Path) -> None:
  """CAD library, records, rotation bins, shape priors and CAD views."""
  records = root / 'records'
  make_library(photos, root / 'library')
  runner.run(
    'tfrecords_tools.pix3d',
    f'--pix3d_dir={photos}',
    f'--annotations={photos}/pix3d.json',
    f'--output_dir={records}',
    '--num_shards=1',
  )
  runner.run(
    'tfrecords_tools.build_pose_medoids',
    f'--records={records}/images*',
    f'--output={records}/pose_medoids.npz',
    '--rotation_frame=allocentric',
    '--fill_missing',
  )
  runner.run(
    'tfrecords_tools.build_shape_priors',
    f'--records={records}/images*',
    f'--output={records}/shape_priors.npz',
    '--fill_missing',
  )
  runner.run(
    'tfrecords_tools.render_views',
    f'--library={root}/library',
    f'--medoids={records}/pose_medoids.npz',
    f'--output_dir={records}',
  )


def run(runner: Runner, root: pathlib.Path, num_steps: int) -> Ious:
  """All steps; returns the silhouettes' IoU."""
  photos = sample_photos()
  prepare(runner, photos, root)
  train(runner, root, num_steps)
  runner.run(
    'mask2cad_tf.gallery',
    'build',
    f'--library={root}/library',
    f'--gallery={root}/gallery',
    f'--model={root}/model',
  )
  ious = predict(runner, photos, root)
  runner.run(
    'mask2cad_tf.evaluate',
    f'--model={root}/model',
    f'--gallery={root}/gallery',
    f'--records={root}/records/images*',
    f'--output_dir={root}/evaluation',
  )
  return ious


def main(argv: Sequence[str]) -> None:
  """Runs the demo and prints its numbers."""
  command_line.reject(argv[1:])
  start = time.time()
  root = pathlib.Path(FLAGS.output_dir)
  try:
    ious = run(Runner(root / 'logs'), root, FLAGS.num_steps)
  except StepFailed as error:
    print(f'mask2cad_tf.demo: {error}', file=sys.stderr)
    sys.exit(2)
  overlays = [root / name / 'overlay.png' for name, _ in ious]
  contact_sheet.write(overlays, root / 'demo.png')
  tables = json.loads((root / 'evaluation' / 'tables.json').read_text())
  print('\n' + report(str(root), tables, ious, time.time() - start))


if __name__ == '__main__':
  command_line.run('mask2cad_tf.demo', main, FLAGS)
