"""The whole lite recipe: from CAD models to packed weights, on two CPU cores.

Examples:
  python -m mask2cad_tf.train_lite --work_dir=runs/lite --pix3d=PIX3D
  python -m mask2cad_tf.train_lite --work_dir=runs/own --finetune=LIB

Libraries, synthetic photos, rotations, priors, views, cached features; then
detection and objects (masks, embedding, pose) are trained side by side and
packed into one model. Every step is one of the project's commands, printed
before it runs. A step that is done is not done again, and each of them goes on
where a kill stopped it: start the same command again.

--finetune: own CADs, half an hour, from the packaged model on (masks,
embedding, pose; its detection stays).

PIX3D is a folder with model/ and splits/ (see docs/model_card.md); without it
the libraries that anybody can have are used: Sweet Home 3D and our own
furniture.
"""

import json
import pathlib
import subprocess
import sys
import time
from concurrent import futures
from typing import Dict
from typing import List
from typing import Sequence

import yaml
from absl import flags

import tfrecords_tools
from mask2cad_tf import bound_process
from mask2cad_tf import command_line
from mask2cad_tf import conventions
from mask2cad_tf import packaged_model
from mask2cad_tf import training_watch
from mask2cad_tf.configs import lite_recipe
from mask2cad_tf.geometry.furniture import catalogue

FLAGS = flags.FlagValues()  # apart from other commands' flags
flags.DEFINE_string(
  'work_dir', 'runs/lite', 'Folder of everything.', flag_values=FLAGS
)
flags.DEFINE_string(
  'pix3d',
  '',
  'Folder with model/<class>/<shape>/ and splits/*.json; none: without Pix3D.',
  flag_values=FLAGS,
)
flags.DEFINE_boolean(
  'sweethome3d',
  True,
  "Use Sweet Home 3D's CADs, which apt-get downloads.",
  flag_values=FLAGS,
)
flags.DEFINE_boolean(
  'quick', False, 'A first impression in half an hour.', flag_values=FLAGS
)
flags.DEFINE_string(
  'finetune',
  '',
  'CAD library: train the packaged model further, on photos of its CADs.',
  flag_values=FLAGS,
)

flags.DEFINE_float(
  'share',
  1.0,
  'Of photos and steps: less of everything is faster and worse.',
  lower_bound=1e-3,
  flag_values=FLAGS,
)

_TRAIN = 'mask2cad_tf.train'
_STAGES = (
  *('libraries', 'photos', 'rotations and priors'),
  *('views and features', 'training', 'packing'),
)
# CADs of Sweet Home 3D that stay unseen, to measure on.
_HELD_OUT = (
  pathlib.Path(tfrecords_tools.__file__).parent
  / 'cad_sources/sweethome3d_held_out.json'
)
_CORES = 2  # that the recipe is made for

_MIXED = ('--modes=room:0.5,closeup:0.3,studio:0.2', '--max_objects=5')
# Rooms as people live in them: cut off, behind each other, many.
_CROWDED = (
  '--modes=room:0.7,closeup:0.3',
  '--min_objects=3',
  '--max_objects=8',
)
_CROWDED_SHARE = 0.25  # of the photos that detection learns from


class Recipe:
  """The steps, in order; each leaves a file that says it is done."""

  def __init__(
    self,
    root: pathlib.Path,
    pix3d: str = '',
    sweethome3d: bool = False,
    finetune: str = '',
  ):
    """Says which libraries take part.

    Args:
      root: folder of everything.
      pix3d: a Pix3D folder, '' for none.
      sweethome3d: whether Sweet Home 3D takes part.
      finetune: the one library that takes part, and the packaged model's
        weights are where training starts; '': a model from scratch.

    Raises:
      FileNotFoundError: the Pix3D folder has no model/ or splits/, or there is
        no folder to fine-tune on.
    """
    self._root = root
    self._begun = time.monotonic()
    self._photos: Dict[str, List[str]] = {}  # sets of records by library
    self._finetune = finetune
    if finetune and not pathlib.Path(finetune).is_dir():
      raise FileNotFoundError(
        f'--finetune={finetune!r} is no folder. Expected <class>/<id>/*.obj '
        'or what tfrecords_tools.cad_library writes.'
      )
    self._pix3d = pathlib.Path(pix3d) if pix3d else None
    self._sweethome3d = sweethome3d
    for name in ('model', 'splits') if pix3d else ():
      if not (self._pix3d / name).is_dir():
        raise FileNotFoundError(
          f'--pix3d={pix3d!r} has no folder {name}/. Expected model/<class>/'
          '<shape>/ and splits/pix3d_s1_test.json.'
        )

  def run(self, size: lite_recipe.Size) -> pathlib.Path:
    """All steps; returns the folder of the packed model."""
    self._announce('libraries')
    libraries = self._libraries()
    self._announce('photos')
    total = sum(size.photos.values())
    share = total / sum(size.photos[name] for name in libraries)
    crowded = _CROWDED_SHARE if 'detection' in size.steps else 0.0
    self._photos = {name: [name] for name in libraries}
    for seed, (name, folder) in enumerate(libraries.items()):
      count = share * size.photos[name]
      self._synthesize(
        name, folder, round((1.0 - crowded) * count), seed, _MIXED
      )
      if crowded:
        self._photos[name].append(f'{name}_crowded')
        self._synthesize(
          f'{name}_crowded',
          folder,
          round(crowded * count),
          100 + seed,
          _CROWDED,
        )
    first = next(iter(libraries))
    self._synthesize(
      'validation', libraries[first], size.validation_photos, 901, _MIXED
    )
    self._announce('rotations and priors')
    self._rotations_and_priors(first)
    self._announce('views and features')
    with futures.ThreadPoolExecutor(_CORES) as pool:  # rendering takes one core
      list(pool.map(self._views_and_caches, libraries, libraries.values()))
    self._announce('training')
    self._train(size)
    self._announce('packing')
    return self._pack(list(size.steps))

  def _announce(self, stage: str) -> None:
    minutes = (time.monotonic() - self._begun) / 60.0
    print(
      f'\nStage {1 + _STAGES.index(stage)} of {len(_STAGES)}: {stage}, after '
      f'{minutes:.0f} minutes',
      flush=True,
    )

  def _libraries(self) -> Dict[str, pathlib.Path]:
    """Folders of the CADs by name; the richest first."""
    if self._finetune:
      return {'own': pathlib.Path(self._finetune)}
    found = {}
    if self._pix3d:
      found['pix3d'] = self._pix3d / 'model'
    if self._sweethome3d:
      found['sweethome3d'] = self._root / 'libraries' / 'sweethome3d'
      self._once(
        found['sweethome3d'] / 'manifest.json',
        'tfrecords_tools.cad_library',
        '--source=sweethome3d',
        f'--classes={",".join(conventions.PIX3D_CLASSES)}',
        f'--output_dir={found["sweethome3d"]}',
        f'--clutter_dir={self._clutter}',
        f'--leave_out={_HELD_OUT}:held_out',
      )
    found['furniture'] = self._root / 'libraries' / 'furniture'
    if not found['furniture'].is_dir():
      catalogue.write_library(str(found['furniture']))
    return found

  @property
  def _clutter(self) -> pathlib.Path:
    return self._root / 'libraries' / 'clutter'

  def _synthesize(
    self,
    name: str,
    library: pathlib.Path,
    count: int,
    seed: int,
    scenes: Sequence[str],
  ) -> None:
    arguments = [
      f'--library={library}',
      f'--num_images={count}',
      f'--seed={seed}',
      *scenes,
      f'--output_dir={self._root / "records" / name}',
    ]
    if self._clutter.is_dir():
      arguments.append(f'--clutter={self._clutter}')
    if self._pix3d and library == self._pix3d / 'model':
      splits = self._pix3d / 'splits'
      arguments += [
        f'--poses={splits / "pix3d_s1_test.json"}',
        f'--poses_exclude={splits / "real_photos_never_for_training.json"}',
      ]
    self._once(
      self._root / 'records' / name / 'preview.png',
      'tfrecords_tools.synthesize',
      *arguments,
    )

  def _rotations_and_priors(self, name: str) -> None:
    records = f'--records={self._root / "records" / name}/images*'
    for path, count in (
      (self._asset('medoids'), conventions.NUM_VIEWS),
      (self._asset('view_rotations'), 64),
    ):
      self._once(
        path,
        'tfrecords_tools.build_pose_medoids',
        records,
        '--rotation_frame=allocentric',
        '--fill_missing',
        f'--num_bins={count}',
        f'--output={path}',
      )
    self._once(
      self._asset('priors'),
      'tfrecords_tools.build_shape_priors',
      records,
      '--fill_missing',
      f'--output={self._asset("priors")}',
    )

  def _asset(self, name: str) -> pathlib.Path:
    return self._root / f'{name}.npz'

  def _views_and_caches(self, name: str, library: pathlib.Path) -> None:
    output = self._root / 'views' / name
    self._once(
      output / 'manifest.json',
      'tfrecords_tools.render_views',
      f'--library={library}',
      f'--medoids={self._asset("medoids")}',
      f'--output_dir={output}',
      '--skip_broken',
    )
    for kind, part, pattern in (
      *(('records', photos, 'images*') for photos in self._photos[name]),
      ('views', name, 'views*'),
    ):
      output = self._root / 'cached' / kind / part
      self._once(
        output / 'manifest.json',
        'mask2cad_tf.cache_features',
        f'--records={self._root / kind / part}/{pattern}',
        f'--output_dir={output}',
      )

  def _train(self, size: lite_recipe.Size) -> None:
    """The branches at once; the last one has all cores to itself."""
    running = []
    for branch in size.steps:
      config = self._root / f'{branch}.yaml'
      overrides = lite_recipe.overrides(
        self._root,
        branch,
        size.steps[branch],
        self._photos,
        packaged_model.folder() if self._finetune else '',
      )
      config.write_text(yaml.safe_dump(overrides))
      arguments = (
        '--experiment=mask2cad_lite',
        '--mode=train_and_eval',
        f'--config_file={config}',
        f'--model_dir={self._root / branch}',
      )
      _show(_TRAIN, arguments)
      running.append(
        training_watch.Training(
          branch,
          self._start(branch, arguments),
          self._root / f'{branch}.log',
          size.steps[branch],
        )
      )
    training_watch.wait(running)

  def _start(self, branch: str, arguments: Sequence[str]) -> subprocess.Popen:
    """The trainer of a branch; its words go to a log."""
    with open(self._root / f'{branch}.log', 'a', encoding='utf-8') as log:
      return bound_process.start(
        [sys.executable, '-m', _TRAIN, *arguments], stdout=log, stderr=log
      )

  def _pack(self, branches: Sequence[str]) -> pathlib.Path:
    output = self._root / 'model'
    arguments = [f'--model={self._root / "objects"}', f'--output_dir={output}']
    if 'detection' in branches:
      parts = 'decoder,head,second_decoder,second_head'
      arguments.append(f'--parts_from={self._root / "detection"}:{parts}')
    _run('mask2cad_tf.pack', *arguments)
    return output

  def _once(self, done: pathlib.Path, module: str, *arguments: str) -> None:
    """Runs a command unless the file that it leaves last is there."""
    if not done.exists():
      _run(module, *arguments)


def _run(module: str, *arguments: str) -> None:
  _show(module, arguments)
  command = [sys.executable, '-m', module, *arguments]
  if bound_process.start(command).wait():
    raise ValueError(
      'The command above failed. Mend what it says, and start again: what is '
      'done stays done.'
    )


def _show(module: str, arguments: Sequence[str]) -> None:
  lines = ' \\\n    '.join([f'$ python -m {module}', *arguments])
  print(f'\n{lines}', flush=True)


def main(argv: Sequence[str]) -> None:
  """Runs the recipe with its flags."""
  command_line.reject(argv[1:])
  root = pathlib.Path(FLAGS.work_dir)
  root.mkdir(parents=True, exist_ok=True)
  size = lite_recipe.QUICK if FLAGS.quick else lite_recipe.FULL
  libraries = {'pix3d': FLAGS.pix3d, 'sweethome3d': FLAGS.sweethome3d}
  if FLAGS.finetune:
    size, libraries = lite_recipe.FINETUNE, {'finetune': FLAGS.finetune}
  size = size.scaled(FLAGS.share)
  settings = json.dumps([libraries, size], sort_keys=True)
  stamp = root / 'recipe.json'
  if stamp.exists() and stamp.read_text() != settings:
    raise ValueError(
      f'--work_dir={str(root)!r} holds another recipe ({stamp}). Give another '
      'folder, or remove it.'
    )
  stamp.write_text(settings)
  model = Recipe(root, **libraries).run(size)
  print(f'\n{model}: --model={model} for predict, evaluate, gallery, export')


if __name__ == '__main__':
  command_line.run('mask2cad_tf.train_lite', main, FLAGS)
