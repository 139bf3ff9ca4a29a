"""Public functions that take or give tensors say their shapes."""

import ast
import pathlib
import re

import pytest

_ROOT = pathlib.Path(__file__).parents[1] / 'mask2cad_tf'
_FOLDERS = ('ops', 'geometry', 'losses')
_TENSORS = ('tf.Tensor', 'np.ndarray')
_SHAPE = re.compile(r'\[[^\]]*\]|\bscalars?\b|\bany shape\b', re.IGNORECASE)


def _public_functions(tree):
  for node in tree.body:
    if isinstance(node, ast.FunctionDef):
      yield node
    elif isinstance(node, ast.ClassDef) and not node.name.startswith('_'):
      yield from (n for n in node.body if isinstance(n, ast.FunctionDef))


def _shapeless(source):
  """Names of public functions with tensors and no shape in the docstring."""
  for node in _public_functions(ast.parse(source)):
    if node.name.startswith('_'):
      continue
    arguments = node.args.args + node.args.kwonlyargs
    annotations = [a.annotation for a in arguments] + [node.returns]
    text = ' '.join(ast.unparse(a) for a in annotations if a is not None)
    if not any(name in text for name in _TENSORS):
      continue
    if not _SHAPE.search(ast.get_docstring(node) or ''):
      yield node.name


@pytest.mark.parametrize('folder', _FOLDERS)
def test_public_tensors_have_shapes(folder):
  found = {
    str(path.relative_to(_ROOT)): names
    for path in sorted((_ROOT / folder).rglob('*.py'))
    if (names := list(_shapeless(path.read_text())))
  }
  assert not found


def test_a_missing_shape_is_seen():
  source = '''
def area(mask: np.ndarray) -> float:
  """Pixels {shape}."""
'''
  assert list(_shapeless(source.format(shape='of a mask'))) == ['area']
  assert not list(_shapeless(source.format(shape='of a mask [h, w]')))
