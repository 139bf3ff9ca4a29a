"""Runs the training step on an accelerator that TensorFlow is not there for.

  python tests/benchmarks/step_elsewhere.py DIR [STEPS]

DIR is `compiled_step.py`'s. Needs JAX (0.10 or later) and nothing else: its XLA
compiles the same module. Prints the losses of STEPS steps on one batch, how far
the first ones are from TensorFlow's on the CPU, and the seconds of a step. Of a
module that came alone (--photos): the seconds and the memory, of parameters
that mean nothing.
"""

import json
import os
import re
import statistics
import sys
import time

import jax
import numpy as np
from jax._src.interpreters import mlir
from jax._src.lib import xla_client
from jax._src.lib.mlir import ir
from jaxlib import _jax

# NumPy's names of StableHLO's types.
_TYPES = {
  'bf16': 'bfloat16',
  'f32': 'float32',
  'f64': 'float64',
  'i1': 'bool',
  'i32': 'int32',
  'i64': 'int64',
  'ui8': 'uint8',
}


def _module(hlo: bytes):
  """StableHLO, and (shape, type) of its parameters.

  XLA's `copy` has no word there, a reshape does nothing too.
  """
  context = mlir.make_ir_context()
  context.allow_unregistered_dialects = True
  with context:
    module = ir.Module.parse(_jax.mlir.hlo_to_stablehlo(hlo))
    text = re.sub(
      r'= mhlo\.copy (%[\w#:]+)( \{[^\n]*?\})? : (tensor<[^>\n]+>)',
      r'= stablehlo.reshape \1 : (\3) -> \3',
      module.operation.get_asm(large_elements_limit=None),
    )
    module = ir.Module.parse(text)
    main = ir.SymbolTable(module.operation)['main']
    types = [(tuple(t.shape), str(t.element_type)) for t in main.type.inputs]
    return mlir.module_to_bytecode(module), types


def _meaningless(shape, kind):
  """Small numbers; integers are 1."""
  kind = jax.numpy.dtype(_TYPES[kind])
  if not jax.numpy.issubdtype(kind, np.floating):
    return np.ones(shape, kind)
  return np.random.default_rng(0).uniform(0.0, 0.02, shape).astype(kind)


def main(folder: str, steps: int = 20) -> None:
  """Runs the steps on JAX's first device."""
  jax.config.update('jax_enable_x64', True)
  device = jax.devices()[0]
  with open(os.path.join(folder, 'step.hlo.pb'), 'rb') as file:
    module, types = _module(file.read())
  wanted = {}
  if os.path.exists(os.path.join(folder, 'losses.json')):
    with open(os.path.join(folder, 'losses.json')) as file:
      wanted = json.load(file)
    with np.load(os.path.join(folder, 'inputs.npz')) as values:
      inputs = [values[f'p{i}'] for i in range(len(values.files))]
  else:
    inputs = [_meaningless(*each) for each in types]
  state = [jax.device_put(value, device) for value in inputs]
  start = time.monotonic()
  program = device.client.compile_and_load(
    module, xla_client.DeviceList((device,)), xla_client.CompileOptions()
  )
  print(f'{device.device_kind}: compiled in {time.monotonic() - start:.1f} s')
  updated, seconds = None, []
  for step in range(1, steps + 1):
    start = time.monotonic()
    results = program.execute_sharded(state)
    arrays = [x[0] for x in results.disassemble_into_single_device_arrays()]
    jax.block_until_ready(arrays)
    seconds.append(time.monotonic() - start)
    if updated is None:  # parameters that the step writes anew, in order
      updated = [i for i, value in enumerate(state) if value.is_deleted()]
    losses = arrays[: len(arrays) - len(updated)]
    for i, value in zip(updated, arrays[len(losses) :]):
      state[i] = value
    if not wanted:
      continue
    losses = dict(zip(sorted(wanted), map(float, losses)))
    if step == 1:
      off = max(
        abs(losses[k] - v) / max(abs(v), 1.0) for k, v in wanted.items()
      )
      print(f'largest difference to TensorFlow on the CPU: {off:.1e}')
    print(f'step {step}: total_loss {losses["total_loss"]:.4f}')
  print(f'median of {len(seconds)}: {statistics.median(seconds):.4f} s a step')
  memory = device.memory_stats() or {}
  if 'peak_bytes_in_use' in memory:
    print(f'at most {memory["peak_bytes_in_use"] / 2**30:.1f} GiB')


if __name__ == '__main__':
  main(sys.argv[1], *map(int, sys.argv[2:]))
