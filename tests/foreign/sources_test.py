"""No foreign bytes reach what runs them: checked in the sources."""

import ast
import pathlib

import pytest

_ROOT = pathlib.Path(__file__).parents[2]
# Calls that run what they are given, by the last two parts of their names.
_RUNS = {
  *('eval', 'exec', '__import__', 'os.system', 'os.popen'),
  *('pickle.load', 'pickle.loads', 'pickle.Unpickler', 'marshal.loads'),
  *('joblib.load', 'shelve.open', 'dill.loads', 'cloudpickle.loads'),
  *('yaml.load', 'yaml.unsafe_load', 'yaml.full_load', 'yaml.load_all'),
  *('np.fromregex', 'torch.load', 'shutil.unpack_archive'),
  *('archive.extractall', 'archive.extract', 'tarfile.open'),
}
# file -> why it may
_EXCEPTIONS = {
  'mask2cad_tf/modeling/backbones/torch_weights.py': (
    'an Unpickler that knows four names, for the file of a pinned package'
  )
}
# np.load allocates what a header claims; foreign/array_files does not.
_OWN_ARRAYS = {
  'tfrecords_tools/synthesis/cycles_worker.py': 'written by its parent',
  'tfrecords_tools/synthesis/cycles_renderer.py': 'written by its worker',
}


def _sources():
  for folder in ('mask2cad_tf', 'tfrecords_tools'):
    yield from sorted((_ROOT / folder).rglob('*.py'))


def _faults(code, name=''):
  """Lines of a source that run bytes, or could."""
  for node in ast.walk(ast.parse(code)):
    if isinstance(node, (ast.Call, ast.ClassDef)):
      bases = node.bases if isinstance(node, ast.ClassDef) else [node.func]
      for base in bases:
        called = '.'.join(ast.unparse(base).split('.')[-2:])
        if called in _RUNS:
          yield f'{name}:{node.lineno} {called}'
        if called in ('np.load', 'numpy.load') and name not in _OWN_ARRAYS:
          yield f'{name}:{node.lineno} {called}: use foreign.array_files'
    for keyword in getattr(node, 'keywords', ()):
      value = getattr(keyword.value, 'value', None)
      if keyword.arg in ('shell', 'allow_pickle') and value is not False:
        yield f'{name}:{node.lineno} {keyword.arg}={value}'


@pytest.mark.parametrize(
  'line',
  [
    *('eval(x)', 'pickle.load(f)', 'yaml.load(f, Loader=L)', 'np.load(p)'),
    *('np.save(p, a, allow_pickle=True)', 'subprocess.run(c, shell=True)'),
    *('class U(pickle.Unpickler): pass', 'f(allow_pickle=flag)'),
  ],
)
def test_the_check_sees(line):
  assert list(_faults(line))


@pytest.mark.parametrize(
  'line', ['model.eval()', 'yaml.safe_load(f)', 'f(allow_pickle=False)']
)
def test_the_check_lets_pass(line):
  assert not list(_faults(line))


def test_nothing_runs_what_it_reads():
  found = [
    fault
    for path in _sources()
    if (name := path.relative_to(_ROOT).as_posix()) not in _EXCEPTIONS
    for fault in _faults(path.read_text(), name)
  ]
  assert not found


def test_exceptions_are_still_needed():
  for name in (*_EXCEPTIONS, *_OWN_ARRAYS):
    code = (_ROOT / name).read_text()
    assert list(_faults(code)), f'{name} needs no exception any more'
