"""Lists the commands; checks an installation.

Example:
  python -m mask2cad_tf                    # the commands
  python -m mask2cad_tf doctor             # versions, devices, what is missing
  python -m mask2cad_tf predict --help     # as python -m mask2cad_tf.predict
"""

import ast
import functools
import pathlib
import runpy
import sys

import mask2cad_tf
from mask2cad_tf import close_names

COMMANDS = (
  *('demo', 'predict', 'gallery', 'evaluate', 'calibrate', 'export'),
  *('train', 'train_lite', 'cache_features', 'pack', 'doctor'),
)


def main() -> None:
  """Runs the command that is named first; without one, lists them."""
  names = sys.argv[1:2]
  if not names or names[0] in ('--help', '-h', 'help'):
    print(_listing())
    return
  if names[0] not in COMMANDS:
    hint = close_names.hint(names[0], COMMANDS)
    print(
      f'mask2cad_tf: no command {names[0]!r}.{hint} See: python -m mask2cad_tf',
      file=sys.stderr,
    )
    sys.exit(2)
  del sys.argv[1]
  run(names[0])


def run(name: str) -> None:
  """As `python -m mask2cad_tf.<name>`, on sys.argv."""
  runpy.run_module(f'mask2cad_tf.{name}', run_name='__main__', alter_sys=True)


# Console commands, see setup.py.
predict, gallery, train, export, evaluate = (
  functools.partial(run, name)
  for name in ('predict', 'gallery', 'train', 'export', 'evaluate')
)


def _listing() -> str:
  width = max(map(len, COMMANDS))
  lines = [f'mask2cad_tf {mask2cad_tf.__version__}: {__doc__}', 'Commands:']
  lines += [f'  {name:{width}}  {_summary(name)}' for name in COMMANDS]
  lines.append(
    '\nData: python -m tfrecords_tools.<name>, see tfrecords_tools/README.md'
  )
  return '\n'.join(lines)


def _summary(name: str) -> str:
  """First line of a command's docstring; nothing is imported."""
  source = pathlib.Path(__file__).with_name(f'{name}.py').read_text()
  return ast.get_docstring(ast.parse(source)).splitlines()[0]


if __name__ == '__main__':
  main()
