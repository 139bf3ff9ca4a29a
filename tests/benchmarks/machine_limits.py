"""What the machine can do at the moment: GFLOP/s of products, GB/s of memory.

A busy machine can do less, and so can what is measured beside it: take these
turn by turn with it.
"""

import time
from typing import Callable
from typing import Dict
from typing import Tuple

import tensorflow as tf

_SIDE = 1536  # of the matrices: 7 GFLOP a product, 9 MB of float32 each
_STREAM = 16 << 20  # floats: 64 MiB, more than a last-level cache


class Limits:
  """One call a measurement; medians are the caller's."""

  def __init__(self, dtypes=('float32', 'bfloat16')):
    """Compiles the products and the pass over memory.

    Args:
      dtypes: of the products.
    """
    self._work: Dict[str, Tuple[Callable[[], tf.Tensor], float]] = {}
    for dtype in dtypes:
      matrix = tf.cast(tf.random.normal([_SIDE, _SIDE], seed=1), dtype)
      self._add(dtype, lambda x: tf.matmul(x, x), matrix, 2e-9 * _SIDE**3)
    data = tf.zeros([_STREAM])
    self._add('memory', lambda x: x + 1.0, data, 8e-9 * _STREAM)

  def _add(self, name, function, argument, amount) -> None:
    """`amount` in GFLOP or GB."""
    compiled = tf.function(function).get_concrete_function(
      tf.TensorSpec(argument.shape, argument.dtype)
    )
    compiled(argument)
    self._work[name] = (lambda: compiled(argument)), amount

  def measure(self) -> Dict[str, float]:
    """GFLOP/s by dtype, and 'memory': GB/s, read and written."""
    rates = {}
    for name, (run, amount) in self._work.items():
      start = time.perf_counter()
      run()
      rates[name] = amount / (time.perf_counter() - start)
    return rates
