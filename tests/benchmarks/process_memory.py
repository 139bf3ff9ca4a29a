"""Memory of a process, as Linux says."""

from typing import Union


def mib(field: str, process: Union[int, str] = 'self') -> float:
  """VmRSS, resident now, or VmHWM, its peak, MiB.

  Not ru_maxrss: a child begins with its parent's there.

  Raises:
    FileNotFoundError, ValueError: the process has ended.
  """
  with open(f'/proc/{process}/status', encoding='utf-8') as file:
    (line,) = (line for line in file if line.startswith(f'{field}:'))
  return int(line.split()[1]) / 1024
