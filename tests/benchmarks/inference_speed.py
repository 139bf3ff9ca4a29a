"""How fast is inference, stage by stage, and what bounds it?

  python -m tests.benchmarks.inference_speed --output_dir=OUT
  python -m tests.benchmarks.inference_speed --models=lite --dtypes=float32

Measures the shipped model (`lite`, 320 x 320, its detections that score 0.5)
and the paper's (`r50`, 640 x 640, weights drawn, 8 detections) in float32 and
bfloat16, each in processes of its own, on the wheel's real photos. `--models`
takes model folders, too, with --gallery. Writes inference_speed.md and .json.

GFLOPs are those of convolutions and matrix products. A stage's floor is the
larger of two times: its FLOPs at the rate of a matrix product of that dtype,
its bytes (inputs, weights, outputs, each once) at the rate of a pass over
memory. Both rates are measured in turn with the stages, so a busy machine slows
both sides; all numbers are medians unless said.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from typing import Any
from typing import Dict
from typing import List
from typing import Mapping
from typing import Sequence

import numpy as np
from absl import app
from absl import flags
from absl import logging
from PIL import Image

from mask2cad_tf import conventions
from mask2cad_tf.retrieval import default_gallery

_MODELS = flags.DEFINE_list('models', ['lite', 'r50'], 'lite, r50 or folders.')
_DTYPES = flags.DEFINE_list('dtypes', ['float32', 'bfloat16'], 'Arithmetic.')
_GALLERY = flags.DEFINE_string('gallery', None, 'Of the model folders.')
_MIN_SCORE = flags.DEFINE_float(
  'min_score',
  conventions.DEFAULT_MIN_SCORE,
  'Detections below are left out; r50 has 8 in any case.',
)
_REPEATS = flags.DEFINE_integer('repeats', 30, 'Of each stage.', lower_bound=2)
_BATCH = flags.DEFINE_integer('batch', 4, 'Photos at a time, for throughput.')
_REFINE = flags.DEFINE_boolean('refine', True, 'Time render-and-compare, too.')
_OUTPUT_DIR = flags.DEFINE_string('output_dir', None, 'Default: print only.')
_ONE = flags.DEFINE_string('one', None, 'Internal: model,dtype of a process.')

_SCENE_REPEATS = 3
Report = Dict[str, Any]


def photos(folder: str) -> List[str]:
  """The wheel's photos as JPEG files below `folder`."""
  paths = []
  for path in sorted(default_gallery.sample_photos().glob('img/*/*.png')):
    paths.append(os.path.join(folder, f'{path.stem}.jpg'))
    Image.open(path).convert('RGB').save(paths[-1], quality=90)
  return paths


def measure(name: str, dtype: str, paths: Sequence[str]) -> Report:
  """All of one model in one dtype; alone in its process."""
  import tensorflow as tf

  from tests.benchmarks import benchmark_models
  from tests.benchmarks import inference_stages
  from tests.benchmarks import machine_limits

  if dtype == 'bfloat16':
    tf.keras.mixed_precision.set_global_policy('mixed_bfloat16')
  with open(paths[0], 'rb') as file:
    photo = file.read()
  if name == 'r50':
    world = benchmark_models.paper(photo)
  else:
    folders = (None, None) if name == 'lite' else (name, _GALLERY.value)
    world = benchmark_models.trained(*folders, _MIN_SCORE.value)
  whole = world.module.serve.get_concrete_function()
  outputs = whole(tf.constant([photo]))
  count = max(1, int(outputs['num_detections'][0]))
  stages = inference_stages.network_stages(
    world.model, world.config, world.module, photo, count
  )
  encoded = tf.constant([photo])
  stages.append(
    inference_stages.Stage(
      'whole', lambda: whole(encoded), sum(stage.flops for stage in stages)
    )
  )
  seconds, rates = _in_turn(stages, machine_limits.Limits(), _REPEATS.value)
  found = [
    {
      'stage': stage.name,
      'gflop': stage.flops / 1e9,
      'mb': stage.bytes / 1e6,
      'resident_mib': stage.resident_mib,
      'seconds': seconds[stage.name],
    }
    for stage in stages
  ]
  if _REFINE.value and name != 'r50' and dtype == 'float32':
    found += _scene_stages(world, paths[0])
  return {
    'model': name,
    'dtype': dtype,
    'side': world.config.task.model.input_size[0],
    'detections': count,
    'stages': found,
    'limits': rates,
    'serving': {
      f'{score:g}': _serving(world, score, paths)
      for score in sorted({0.0, world.min_score})
    },
  }


def _in_turn(stages, limits, repeats: int):
  """Seconds of each stage by name, and rates, `repeats` of each, by turns."""
  seconds: Dict[str, List[float]] = {stage.name: [] for stage in stages}
  rates = []
  for _ in range(repeats):
    rates.append(limits.measure())
    for stage in stages:
      start = time.perf_counter()
      stage.run()
      seconds[stage.name].append(time.perf_counter() - start)
  return seconds, rates


def _scene_stages(world, path: str) -> List[Report]:
  """Render-and-compare and the scene's files, as `predict` has them."""
  from mask2cad_tf.scene import assemble
  from mask2cad_tf.scene import cad_meshes
  from mask2cad_tf.scene import distinct
  from mask2cad_tf.scene import photo as photo_lib
  from mask2cad_tf.scene import scene_folder
  from mask2cad_tf.serving import detection_refiner
  from tests.benchmarks import process_memory

  photo = photo_lib.load(path)
  intrinsics = photo.camera.intrinsics
  outputs = world.module.predict(photo.image, intrinsics)
  detections = distinct.choose(
    {key: value.numpy()[0] for key, value in outputs.items()},
    world.min_score,
    photo.image.shape[:2],
  )
  refiner = detection_refiner.DetectionRefiner.of_encoder(
    world.model.view_encoder, world.config.task.model, world.gallery, 2.0
  )
  cads = cad_meshes.CadMeshes(world.gallery.mesh_path)
  depths = [None] * int(detections['num_detections'])
  seconds: Dict[str, List[float]] = {'refinement': [], 'GLB, overlay, JSON': []}
  with tempfile.TemporaryDirectory() as folder:
    for _ in range(_SCENE_REPEATS):
      start = time.perf_counter()
      hypotheses = refiner.refine(photo.image, intrinsics, detections, depths)
      refined = time.perf_counter()
      objects = assemble.assemble(
        detections, world.gallery, cads, photo.camera, hypotheses=hypotheses
      )
      scene_folder.write(folder, photo, objects, cads, {'name': ''})
      written = time.perf_counter()
      seconds['refinement'].append(refined - start)
      seconds['GLB, overlay, JSON'].append(written - refined)
  return [
    {
      'stage': f'{name} ({len(depths)} objects)',
      'gflop': 0.0,
      'mb': 0.0,
      'resident_mib': process_memory.mib('VmRSS'),
      'seconds': values,
    }
    for name, values in seconds.items()
  ]


def _serving(world, min_score: float, paths: Sequence[str]) -> Report:
  """A fresh process that serves the model, exported."""
  from mask2cad_tf.retrieval import gallery_builder
  from mask2cad_tf.serving import gallery_assets
  from mask2cad_tf.serving import mask2cad_module

  module = mask2cad_module.Mask2CADModule(
    world.model, world.config.task, world.gallery, min_score=min_score
  )
  with tempfile.TemporaryDirectory() as folder:
    gallery_assets.save(
      module,
      world.gallery,
      gallery_builder.model_encoder(world.model, world.config.task.model),
      folder,
    )
    answer = subprocess.run(
      [
        sys.executable,
        '-m',
        'tests.benchmarks.serving_process',
        folder,
        str(_REPEATS.value),
        str(_BATCH.value),
        *paths,
      ],
      check=True,
      stdout=subprocess.PIPE,
      env={**os.environ, 'MALLOC_ARENA_MAX': '2', 'TF_CPP_MIN_LOG_LEVEL': '3'},
    )
  return json.loads(answer.stdout.splitlines()[-1])


def _rate(report: Report, name: str) -> float:
  return float(np.median([rates[name] for rates in report['limits']]))


def floors(stage: Mapping[str, Any], gflops: float, gbps: float) -> List[float]:
  """The least times, ms: of the stage's FLOPs and of its bytes."""
  return [stage['gflop'] / gflops * 1e3, stage['mb'] / gbps]


def table(report: Report) -> str:
  """A model's stages as Markdown."""
  gflops, gbps = _rate(report, report['dtype']), _rate(report, 'memory')
  lines = [
    f'### {report["model"]}, {report["side"]} x {report["side"]}, '
    f'{report["dtype"]}, {report["detections"]} detections',
    '',
    f'Matrix product {gflops:.0f} GFLOP/s, memory {gbps:.1f} GB/s.',
    '',
    '| stage | GFLOP | MB | p50 ms | p95 ms | floor ms | p50 / floor | RSS '
    'after it, MiB |',
    '|---|---|---|---|---|---|---|---|',
  ]
  for stage in report['stages']:
    p50, p95 = 1e3 * np.percentile(stage['seconds'], [50, 95])
    floor = max(floors(stage, gflops, gbps))
    ratio = f'{p50 / floor:.2f}' if floor > 0.01 else ''
    resident = stage['resident_mib']
    lines.append(
      f'| {stage["stage"]} | {stage["gflop"]:.2f} | {stage["mb"]:.1f} | '
      f'{p50:.1f} | {p95:.1f} | {floor:.1f} | {ratio} | '
      f'{f"{resident:.0f}" if resident else ""} |'
    )
  return '\n'.join(lines)


def serving_table(reports: Sequence[Report]) -> str:
  """The serving processes as Markdown."""
  lines = [
    '| served | least score | p50 ms | p95 ms | photos/s | photos/s, batched | '
    'load s | first s | RSS import, load, served, MiB | peak MiB |',
    '|---|---|---|---|---|---|---|---|---|---|',
  ]
  for report in reports:
    for score, served in report['serving'].items():
      p50, p95 = 1e3 * np.percentile(served['latencies'], [50, 95])
      resident = served['resident_mib']
      batched = served['batch'] / np.median(served['batch_latencies'])
      lines.append(
        f'| {report["model"]} {report["dtype"]} | {score} | {p50:.0f} | '
        f'{p95:.0f} | {1e3 / p50:.1f} | {batched:.1f} | '
        f'{served["seconds"]["load"]:.1f} | {served["seconds"]["first"]:.1f} | '
        f'{resident["import"]:.0f}, {resident["load"]:.0f}, '
        f'{resident["served"]:.0f} | {served["peak_mib"]:.0f} |'
      )
  return '\n'.join(lines)


def markdown(reports: Sequence[Report]) -> str:
  """All tables."""
  return '\n\n'.join([*map(table, reports), serving_table(reports)]) + '\n'


def _run(name: str, dtype: str) -> Report:
  """`measure` in a fresh process."""
  given = [
    f'--{flag.name}={flag.value}'
    for flag in (_GALLERY, _MIN_SCORE, _REPEATS, _BATCH, _REFINE)
    if flag.value is not None
  ]
  with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, 'report.json')
    subprocess.run(
      [
        sys.executable,
        '-m',
        'tests.benchmarks.inference_speed',
        f'--one={name},{dtype}',
        f'--output_dir={path}',
        *given,
      ],
      check=True,
    )
    with open(path) as file:
      return json.load(file)


def main(argv):
  """Measures each model in each dtype, writes the tables."""
  del argv
  logging.set_verbosity(logging.ERROR)  # of Model Garden and of exports
  if _ONE.value:
    name, dtype = _ONE.value.rsplit(',', 1)
    with tempfile.TemporaryDirectory() as folder:
      report = measure(name, dtype, photos(folder))
    with open(_OUTPUT_DIR.value, 'w') as file:
      json.dump(report, file)
    return
  reports = [
    _run(name, dtype) for name in _MODELS.value for dtype in _DTYPES.value
  ]
  text = markdown(reports)
  print(text)
  if _OUTPUT_DIR.value:
    os.makedirs(_OUTPUT_DIR.value, exist_ok=True)
    base = os.path.join(_OUTPUT_DIR.value, 'inference_speed')
    with open(f'{base}.md', 'w') as file:
      file.write(text)
    with open(f'{base}.json', 'w') as file:
      json.dump(reports, file, indent=1)


if __name__ == '__main__':
  app.run(main)
