"""What every command shares: exit status 0, or 2 with one line on bad input.

Imports nothing heavy, so that `--help` and wrong flags answer at once.
"""

import os
import sys
import warnings
from typing import Callable
from typing import List
from typing import NoReturn
from typing import Sequence

from absl import flags

# What the package raises for bad input and for a server that does not answer;
# all else is a defect and keeps its traceback.
BAD_INPUT = (
  FileNotFoundError,
  NotADirectoryError,
  IsADirectoryError,
  PermissionError,
  FileExistsError,
  ConnectionError,
  TimeoutError,
  ValueError,
)


def run(
  name: str, main: Callable[[Sequence[str]], None], own: flags.FlagValues
) -> None:
  """Runs a command on sys.argv; bad flags or input print one line, exit 2.

  Args:
    name: the module as the user calls it, e.g. 'mask2cad_tf.predict'.
    main: takes the program's name and the words that are no flags. The
      docstring of its module is the head of --help.
    own: the command's flags. Commands that are imported side by side keep
      theirs apart from absl's.
  """
  answer_help(main.__module__, own)
  quiet_libraries()
  try:
    main(_parse_flags(own, sys.argv))
  except flags.Error as error:
    _fail(name, f'{str(error).rstrip(".")}. See: python -m {name} --help')
  except BAD_INPUT as error:
    _fail(name, str(error))


def answer_help(module: str, own: flags.FlagValues) -> None:
  """Prints a module's docstring and its flags and ends, if --help is asked."""
  if {'--help', '-help', '-h'} & set(sys.argv[1:]):
    print(f'{sys.modules[module].__doc__}\nFlags:{_describe(own)}')
    sys.exit(0)


def quiet_libraries() -> None:
  """Keeps start-up chatter from burying the one line; before TensorFlow."""
  os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')
  warnings.filterwarnings('ignore', category=FutureWarning, module='google')


def require(**values: object) -> None:
  """Raises ValueError that names the flags without a value."""
  missing = [f'--{name}' for name, value in values.items() if not value]
  if missing:
    raise ValueError(f'{", ".join(missing)} missing. See --help.')


def reject(words: Sequence[str]) -> None:
  """Raises ValueError if words are left that belong to no flag."""
  if words:
    raise ValueError(
      f'Cannot use {" ".join(words)!r}. Flags are written --name=value; '
      'see --help.'
    )


def _describe(own: flags.FlagValues) -> str:
  """Absl's help without the file's name and absl's own flags."""
  return own.get_help().partition('\n\nabsl.flags:')[0].partition(':')[2]


def _parse_flags(own: flags.FlagValues, argv: Sequence[str]) -> List[str]:
  """Sets the command's flags, then absl's; returns the other words."""
  for flag in own:  # a second run in one process starts from the defaults
    own[flag].unparse()
  return flags.FLAGS(own(argv, known_only=True))


def _fail(name: str, message: str) -> NoReturn:
  print(f'{name}: {" ".join(message.split())}', file=sys.stderr)
  sys.exit(2)
