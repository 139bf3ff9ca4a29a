"""Runs the training step on an accelerator that TensorFlow is not there for.

  python tests/benchmarks/step_elsewhere.py DIR [STEPS]

DIR is `compiled_step.py`'s. Needs JAX (0.10 or later) and nothing else: its XLA
compiles the same module. Prints the losses of STEPS steps on one batch, how far
the first ones are from TensorFlow's on the CPU, and the seconds of a step.
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


def _module(hlo: bytes) -> bytes:
  """StableHLO; XLA's `copy` has no word there, a reshape does nothing too."""
  context = mlir.make_ir_context()
  context.allow_unregistered_dialects = True
  with context:
    module = ir.Module.parse(_jax.mlir.hlo_to_stablehlo(hlo))
    text = re.sub(
      r'= mhlo\.copy (%[\w#:]+)( \{[^\n]*?\})? : (tensor<[^>\n]+>)',
      r'= stablehlo.reshape \1 : (\3) -> \3',
      module.operation.get_asm(large_elements_limit=None),
    )
    return mlir.module_to_bytecode(ir.Module.parse(text))


def main(folder: str, steps: int = 20) -> None:
  """Runs the steps on JAX's first device."""
  jax.config.update('jax_enable_x64', True)
  device = jax.devices()[0]
  with open(os.path.join(folder, 'step.hlo.pb'), 'rb') as file:
    module = _module(file.read())
  with open(os.path.join(folder, 'losses.json')) as file:
    wanted = json.load(file)
  with np.load(os.path.join(folder, 'inputs.npz')) as values:
    state = [
      jax.device_put(values[f'p{i}'], device) for i in range(len(values.files))
    ]
  start = time.monotonic()
  program = device.client.compile_and_load(
    module, xla_client.DeviceList((device,)), xla_client.CompileOptions()
  )
  print(f'{device.device_kind}: compiled in {time.monotonic() - start:.1f} s')
  names, updated, seconds = sorted(wanted), None, []
  for step in range(1, steps + 1):
    start = time.monotonic()
    results = program.execute_sharded(state)
    arrays = [x[0] for x in results.disassemble_into_single_device_arrays()]
    jax.block_until_ready(arrays)
    seconds.append(time.monotonic() - start)
    losses = dict(zip(names, map(float, arrays)))
    if updated is None:  # parameters that the step writes anew, in order
      updated = [i for i, value in enumerate(state) if value.is_deleted()]
      off = max(
        abs(losses[k] - v) / max(abs(v), 1.0) for k, v in wanted.items()
      )
      print(f'largest difference to TensorFlow on the CPU: {off:.1e}')
    for i, value in zip(updated, arrays[len(names) :]):
      state[i] = value
    print(f'step {step}: total_loss {losses["total_loss"]:.4f}')
  print(f'median of {len(seconds)}: {statistics.median(seconds):.4f} s a step')


if __name__ == '__main__':
  main(sys.argv[1], *map(int, sys.argv[2:]))
