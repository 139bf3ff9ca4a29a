"""Runs the notebooks: the same cells, less of all."""

import pathlib

import nbclient
import nbformat

CLONE = pathlib.Path(__file__).parents[2]
FOLDER = CLONE / 'colab'


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
