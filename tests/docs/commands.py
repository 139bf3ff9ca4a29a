"""Commands in the pages, and what modules and Makefile know; nothing runs."""

import ast
import functools
import importlib.util
import pathlib
import re
from typing import Dict
from typing import Iterator
from typing import List
from typing import NamedTuple
from typing import Optional
from typing import Sequence
from typing import Set
from typing import Tuple

from tests.docs import pages

_COMMAND = re.compile(
  r'python -m ((?:mask2cad_tf|tfrecords_tools|tests)[\w.]*)|'
  r'(?<![\w/-])mask2cad-(?!tf\b)(\w+)'
)
_END = re.compile(r'[|;&]|\$\(|(?<=\s)#')
_MAKE = re.compile(r'^(?:\$ )?make((?: +[\w.=/-]+)+)', re.M)


class Command(NamedTuple):
  """A module of the project with words and flags, as a page has it."""

  module: str
  words: Tuple[str, ...]
  flags: Tuple[Tuple[str, str], ...]  # (name, value), '' without one


class Flag(NamedTuple):
  """A flag that a module defines."""

  is_boolean: bool
  choices: Optional[Sequence[str]]


def find(text: str) -> List[Command]:
  """The commands in a page's code."""
  found = []
  for line in _lines(text):
    starts = [*_COMMAND.finditer(line)]
    ends = [match.start() for match in starts[1:]] + [len(line)]
    for match, end in zip(starts, ends):
      module = match[1] or f'mask2cad_tf.{match[2]}'
      rest = _END.split(line[match.end() : end])[0].replace('\\', '')
      rest = re.sub(r"'[^']*'", lambda m: m[0].replace(' ', ''), rest)
      words = [x.rstrip('.,:') for x in re.sub(r'[\[\]]', ' ', rest).split()]
      plain = [x for x in words if not x.startswith('-')]
      if module == 'mask2cad_tf' and plain:
        module = f'mask2cad_tf.{plain.pop(0)}'
      flags = [x[2:].partition('=')[::2] for x in words if x.startswith('--')]
      found.append(Command(module, tuple(plain), tuple(flags)))
  return found


def find_make(text: str) -> List[List[str]]:
  """Words after `make`: targets and variables."""
  return [
    match[1].split()
    for line in _lines(text)
    for part in re.split(r'&&|;', line)
    for match in [_MAKE.match(part.strip())]
    if match
  ]


def _lines(text: str) -> Iterator[str]:
  """Lines of code; continued ones joined, shell variables put in."""
  variables = {}
  for block in [*pages.shell_blocks(text), *pages.spans(text)]:
    for line in re.sub(r'\\\n\s*', ' ', block).splitlines():
      for name, value in variables.items():
        line = re.sub(rf'\${name}\b', lambda _, x=value: x, line)
      yield line
      variables.update(re.findall(r'^([A-Z]+)="(.+)"$', line))


def source(module: str) -> Optional[pathlib.Path]:
  """File of a module of the project, None where there is none."""
  base = pages.ROOT.joinpath(*module.split('.'))
  for path in (base.with_suffix('.py'), base / '__main__.py'):
    if path.is_file():
      return path
  return None


@functools.cache
def flags_of(module: str) -> Dict[str, Flag]:
  """Flags of a command, and of what it imports that is no command."""
  path = source(module)
  tree = ast.parse(path.read_text())
  found = _defined(tree)
  for node in ast.walk(tree):
    if not isinstance(node, ast.ImportFrom):
      continue
    for alias in node.names:
      name = f'{node.module}.{alias.name}'
      if node.module == 'official.common':
        found.update(_defined(ast.parse(_installed(name).read_text())))
      elif source(name) and "'__main__'" not in source(name).read_text():
        found.update(_defined(ast.parse(source(name).read_text())))
  return found


def _installed(module: str) -> pathlib.Path:
  """File of another package's module; only `official` itself is imported."""
  package, *parts = module.split('.')
  [folder] = importlib.util.find_spec(package).submodule_search_locations
  return pathlib.Path(folder).joinpath(*parts).with_suffix('.py')


def _defined(tree: ast.AST) -> Dict[str, Flag]:
  found = {}
  for call in ast.walk(tree):
    if not isinstance(call, ast.Call):
      continue
    kind = getattr(call.func, 'attr', '')
    first = call.args[0] if call.args else None
    if kind == 'add_argument' and first.value.startswith('--'):
      switch = any(x.arg == 'action' for x in call.keywords)
      found[first.value[2:]] = Flag(switch, None)
    if kind.startswith('DEFINE_') and isinstance(first, ast.Constant):
      choices = None
      if kind == 'DEFINE_enum':
        named = [x.value for x in call.keywords if x.arg == 'enum_values']
        [values] = [*call.args[2:3], *named]
        if isinstance(values, (ast.List, ast.Tuple)) and not any(
          isinstance(value, ast.Starred) for value in values.elts
        ):
          choices = ast.literal_eval(values)
      found[first.value] = Flag('bool' in kind, choices)
  return found


def verbs_of(module: str) -> Set[str]:
  """Keys of the module's `_VERBS`; empty where it has none."""
  for node in ast.parse(source(module).read_text()).body:
    names = [getattr(x, 'id', '') for x in getattr(node, 'targets', ())]
    if names == ['_VERBS']:
      return {key.value for key in node.value.keys}
  return set()


def make_targets() -> Set[str]:
  """Targets of the Makefile that are named."""
  text = (pages.ROOT / 'Makefile').read_text()
  return set(re.findall(r'^([a-z][\w-]*):', text, re.M))


def make_variables() -> Set[str]:
  """Variables that the Makefile reads."""
  text = (pages.ROOT / 'Makefile').read_text()
  return set(re.findall(r'\$\((?:if \$\()?([A-Z_0-9]+)\)', text))
