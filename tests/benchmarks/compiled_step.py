"""Compiles and runs the training step with XLA; writes its module.

  python -m tests.benchmarks.compiled_step --work_dir=DIR \
    --experiment=mask2cad_lite
  python -m tests.benchmarks.compiled_step --work_dir=DIR \
    --experiment=mask2cad_pix3d --photos=16 --number_type=bfloat16

One step of the experiment, small (tests/tasks/step_graph.py), on the toy data's
shapes and random numbers: as TensorFlow runs it and with `jit_compile=True`,
from the same weights. The losses must agree. DIR, new or empty, receives what
`step_elsewhere.py` runs with another XLA: step.hlo.pb, a serialized
HloModuleProto; inputs.npz, its parameters p0, p1, ...; losses.json.

--photos: a step of so many in the experiment's own size, for the time that it
takes elsewhere. Nothing is run here; the module is all that is written.
"""

import gc
import json
import os
import sys
import time

import numpy as np
import tensorflow as tf
from absl import app
from absl import flags
from official.modeling import performance
from tensorflow.python.ops import resource_variable_ops

from tests import toy
from tests.benchmarks import work_folder
from tests.tasks import step_graph

_WORK_DIR = flags.DEFINE_string('work_dir', None, 'New or empty folder.')
_EXPERIMENT = flags.DEFINE_string(
  'experiment', 'mask2cad_lite', 'mask2cad_lite or mask2cad_pix3d.'
)
_PHOTOS = flags.DEFINE_integer('photos', 0, 'Of a step in its own size.')
_TYPE = flags.DEFINE_string(
  'number_type', 'float32', 'Of activations, as runtime.mixed_precision_dtype.'
)
_TOLERANCE = flags.DEFINE_float('tolerance', 1e-4, 'Of losses, relative.')


def main(_):
  work_folder.claim(_WORK_DIR.value)
  data = toy.make(os.path.join(_WORK_DIR.value, 'toy'))
  tf.keras.utils.set_random_seed(0)
  performance.set_mixed_precision_policy(_TYPE.value)
  if _PHOTOS.value:
    _write_own_size(data)
    return
  step, specs, parts = step_graph.trace(_EXPERIMENT.value, data)
  task, model, optimizer = (
    parts[key] for key in ('task', 'model', 'optimizer')
  )
  images, labels = next(iter(task.build_inputs(task.task_config.train_data)))
  images, labels = _fill(specs, images, labels)
  weights = [variable.numpy() for variable in model.variables]
  wanted = {key: float(value) for key, value in step(images, labels).items()}

  def reset():
    for variable, value in zip(model.variables, weights):
      variable.assign(value)
    for variable in optimizer.variables():
      variable.assign(tf.zeros_like(variable))

  reset()
  compiled = tf.function(
    lambda images, labels: task.train_step((images, labels), model, optimizer),
    jit_compile=True,
  )
  start = time.monotonic()
  found = {key: float(v) for key, v in compiled(images, labels).items()}
  seconds = time.monotonic() - start
  module = compiled.experimental_get_compiler_ir(images, labels)(
    stage='hlo_serialized'
  )
  _write_module(module)
  reset()
  np.savez_compressed(
    os.path.join(_WORK_DIR.value, 'inputs.npz'),
    **{f'p{i}': x for i, x in enumerate(_parameters(compiled, images, labels))},
  )
  with open(os.path.join(_WORK_DIR.value, 'losses.json'), 'w') as file:
    json.dump(found, file)
  off = {
    key: abs(found[key] - value) / max(abs(value), 1.0)
    for key, value in wanted.items()
  }
  print(
    json.dumps(
      {
        'experiment': _EXPERIMENT.value,
        'losses': found,
        'largest difference': max(off.values()),
        'seconds to compile and run': seconds,
        'bytes of the module': len(module),
      }
    )
  )
  if not np.all(list(map(np.isfinite, found.values()))):
    sys.exit(1)
  if max(off.values()) > _TOLERANCE.value:
    sys.exit(1)


def _write_own_size(data):
  _, specs, parts = step_graph.trace(
    _EXPERIMENT.value, data, _PHOTOS.value, small=False
  )
  task, model, optimizer = (
    parts[key] for key in ('task', 'model', 'optimizer')
  )
  compiled = tf.function(
    lambda *flat: task.train_step(
      tf.nest.pack_sequence_as(specs, flat), model, optimizer
    ),
    jit_compile=True,
  )
  compiler_ir = compiled.experimental_get_compiler_ir(*tf.nest.flatten(specs))
  _write_module(compiler_ir(stage='hlo_serialized'))


def _write_module(module):
  with open(os.path.join(_WORK_DIR.value, 'step.hlo.pb'), 'wb') as file:
    file.write(module)


def _parameters(compiled, images, labels):
  """Values of the module's parameters: arguments, then what it captures."""
  variables = {
    id(thing.handle): thing
    for thing in gc.get_objects()
    if isinstance(thing, resource_variable_ops.BaseResourceVariable)
  }
  captured = compiled.get_concrete_function(images, labels).captured_inputs
  return [
    variables.get(id(value), value).numpy()
    for value in [*tf.nest.flatten((images, labels)), *captured]
  ]


def _fill(specs, images, labels):
  """The pipeline's batch; random features where the step takes features."""
  rng = np.random.default_rng(0)

  def like(spec, value):
    if spec.is_compatible_with(value):
      return value
    return tf.constant(np.abs(rng.normal(size=spec.shape)), spec.dtype)

  image_specs, label_specs = specs
  if isinstance(image_specs, dict):
    images = {
      key: tf.constant(np.abs(rng.normal(size=spec.shape)), spec.dtype)
      for key, spec in image_specs.items()
    }
  labels = {
    key: tf.nest.map_structure(like, spec, labels[key])
    for key, spec in label_specs.items()
  }
  return images, labels


if __name__ == '__main__':
  flags.mark_flags_as_required(['work_dir'])
  app.run(main)
