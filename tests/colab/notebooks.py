"""Runs the notebooks: the same cells, less of all, few processes."""

import pathlib

import nbclient
import nbformat

CLONE = pathlib.Path(__file__).parents[2]
FOLDER = CLONE / 'colab'
NAMES = ('1_photo_to_scene', '2_train_on_your_cads', '3_serve_it')
_FIRST = 'from tests.colab import in_kernel; in_kernel.install()'


def read(name: str) -> nbformat.NotebookNode:
  """A notebook of colab/."""
  return nbformat.read(FOLDER / f'{name}.ipynb', as_version=4)


def execute(name: str, output: pathlib.Path, monkeypatch):
  """From top to bottom, into a folder; returns its cells and all its text."""
  monkeypatch.setenv('MASK2CAD_SHORT', '1')
  monkeypatch.setenv('MASK2CAD_OUT', str(output))
  monkeypatch.setenv('MASK2CAD_CLONE', str(CLONE))
  monkeypatch.setenv('no_proxy', '127.0.0.1')
  notebook = read(name)
  notebook.cells.insert(0, nbformat.v4.new_code_cell(_FIRST))
  nbclient.NotebookClient(
    notebook,
    timeout=600,
    kernel_name='python3',
    resources={'metadata': {'path': str(CLONE)}},
  ).execute()
  text = '\n'.join(map(_printed, notebook.cells))
  assert 'Traceback' not in text
  return notebook.cells, text


def _printed(cell) -> str:
  return ''.join(
    output.get('text', '') or str(output.get('data', {}).get('text/plain', ''))
    for output in cell.get('outputs', [])
  )
