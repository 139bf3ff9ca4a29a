"""Does the input keep up with the trainer? Images a second of both, one run.

  python -m tests.benchmarks.input_speed --data_dir=data/lite

DIR holds cached/images*, cached/views*, medoids.npz, view_rotations.npz and
priors.npz as configs/lite.yaml names them. The trainer gets one batch again and
again, so that it never waits; the input pipeline is drained, so that nobody
holds it up.
Both use all cores, one after the other. The stages are timed on one thread.
"""

import os
import resource
import sys
import time

import tensorflow as tf
from absl import app
from absl import flags
from official.core import exp_factory

from mask2cad_tf import conventions
from mask2cad_tf import registry_imports  # noqa: F401
from mask2cad_tf.data import cached_features
from mask2cad_tf.data import decoder
from mask2cad_tf.data import detection_parser
from mask2cad_tf.data import input_pipeline
from mask2cad_tf.data import record_files
from mask2cad_tf.data import view_store
from mask2cad_tf.tasks import mask2cad

_DATA_DIR = flags.DEFINE_string(
  'data_dir', None, 'Training data, laid out as in configs/lite.yaml.'
)
_EXPERIMENT = flags.DEFINE_string('experiment', 'mask2cad_lite', 'Registered.')
_CLASS_NAMES = flags.DEFINE_list(
  'class_names', list(conventions.PIX3D_CLASSES), 'As model.class_names.'
)
_SECONDS = flags.DEFINE_float('seconds', 15.0, 'Of each measurement.')


def _experiment():
  config = exp_factory.get_exp_config(_EXPERIMENT.value)
  folder = _DATA_DIR.value
  config.task.model.class_names = _CLASS_NAMES.value
  config.task.model.num_classes = 1 + len(_CLASS_NAMES.value)
  config.task.model.pose.medoids_path = os.path.join(folder, 'medoids.npz')
  config.task.model.pose.view_rotations_path = os.path.join(
    folder, 'view_rotations.npz'
  )
  config.task.model.shapemask.priors_path = os.path.join(folder, 'priors.npz')
  config.task.train_data.input_path = os.path.join(folder, 'cached/images*')
  config.task.train_data.views_path = os.path.join(folder, 'cached/views*')
  return config


def _rate(step, images_a_call):
  """Images a second of wall time and CPU-seconds an image."""
  for _ in range(3):
    step()
  start, cpu, calls = time.perf_counter(), _cpu_seconds(), 0
  while time.perf_counter() - start < _SECONDS.value:
    step()
    calls += 1
  seconds = time.perf_counter() - start
  images = calls * images_a_call
  return images / seconds, (_cpu_seconds() - cpu) / images


def _cpu_seconds():
  usage = resource.getrusage(resource.RUSAGE_SELF)
  return usage.ru_utime + usage.ru_stime


def _train_step(config, batch):
  task = mask2cad.Mask2CADTask(config.task)
  model = task.build_model()
  optimizer = task.create_optimizer(config.trainer.optimizer_config)
  step = tf.function(lambda: task.train_step(batch, model, optimizer))
  return lambda: step()['total_loss'].numpy()


def _stages(config):
  """(name, CPU-ms an image) of decoding alone and of all, on one thread."""
  data = config.task.train_data
  records = list(record_files.read(record_files.match(data.input_path)))[:256]
  store = view_store.ViewStore.load(data.views_path, data.cached_features)
  parser = detection_parser.Parser(config.task.model, data, store)
  parse = parser.parse_fn(is_training=True)
  shapes = None
  if data.cached_features:
    shapes = cached_features.shapes(records[0], data.input_path)
  decode = decoder.TfExampleDecoder(feature_shapes=shapes).decode
  stages = (
    ('decode the photo', lambda record: decode(record)),
    ('decode and parse', lambda record: parse(decode(record))),
  )
  for name, function in stages:
    dataset = tf.data.Dataset.from_tensor_slices(records).repeat()
    options = tf.data.Options()
    options.threading.private_threadpool_size = 1
    iterator = iter(dataset.map(function).with_options(options))
    yield name, 1000 * _rate(lambda i=iterator: next(i), 1)[1]


def main(argv):
  """Prints the figures as a Markdown table."""
  del argv
  config = _experiment()
  size = config.task.train_data.global_batch_size
  iterator = iter(
    input_pipeline.build_dataset(config.task.train_data, config.task.model)
  )
  batch = next(iterator)
  rows = [
    ('input pipeline', *_rate(lambda: next(iterator), size)),
    ('trainer', *_rate(_train_step(config, batch), size)),
  ]
  print('| what | images/s | CPU-ms an image |\n|---|---|---|')
  for name, rate, cpu in rows:
    print(f'| {name} | {rate:.1f} | {1000 * cpu:.1f} |')
  for name, milliseconds in _stages(config):
    print(f'| {name}, one thread | | {milliseconds:.1f} |')
  ratio = rows[0][1] / rows[1][1]
  print(f'\nThe input makes {ratio:.1f} times what the trainer consumes.')
  sys.stdout.flush()


if __name__ == '__main__':
  flags.mark_flag_as_required('data_dir')
  app.run(main)
