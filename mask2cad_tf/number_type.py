"""Which numbers a CPU trains with fastest."""

import pathlib

_CPU_INFO = pathlib.Path('/proc/cpuinfo')
_INSTRUCTIONS = frozenset(('avx512_bf16', 'amx_bf16'))


def fastest(cpu_info: pathlib.Path = _CPU_INFO) -> str:
  """'bfloat16' where the CPU has instructions for it, else 'float32'.

  Without them TensorFlow works bfloat16 out number by number: training takes
  several times as long as in float32.

  Args:
    cpu_info: what Linux says of its CPU; other systems have no such file.
  """
  words = cpu_info.read_text().split() if cpu_info.exists() else ()
  return 'float32' if _INSTRUCTIONS.isdisjoint(words) else 'bfloat16'
