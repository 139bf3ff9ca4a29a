"""Executes the notebooks in full and keeps their outputs in colab/.

  python -m tests.run_notebooks [1_photo_to_scene ...]

Takes half an hour on two cores. Cells tagged 'output-not-kept' are cleared
afterwards: what they show is large.
"""

import os
import pathlib
import sys
import tempfile
from typing import Dict
from typing import List

import nbclient
import nbformat

_CLONE = pathlib.Path(__file__).parent.parent


def _plain(text: str, folder: str) -> str:
  """Without carriage returns and without where it ran."""
  lines = text.replace('\r\n', '\n').split('\n')
  text = '\n'.join(line.rpartition('\r')[2] for line in lines)
  return text.replace(folder, 'runs/colab').replace(f'{_CLONE}/', '')


def _joined(
  outputs: List[nbformat.NotebookNode],
) -> List[nbformat.NotebookNode]:
  """Pieces of one stream become one; a progress bar comes in many."""
  joined = []
  for output in outputs:
    before = joined[-1] if joined else {}
    if output.get('name') and output.get('name') == before.get('name'):
      before['text'] += output['text']
    else:
      joined.append(output)
  return joined


def run(path: pathlib.Path) -> None:
  """Executes one notebook in place."""
  notebook = nbformat.read(path, as_version=4)
  with tempfile.TemporaryDirectory() as folder:
    client = nbclient.NotebookClient(
      notebook,
      timeout=7200,
      kernel_name='python3',
      resources={'metadata': {'path': str(_CLONE)}},
    )
    with client.setup_kernel(env=_environment(folder)):
      for index, cell in enumerate(notebook.cells):
        client.execute_cell(cell, index)
  for cell in notebook.cells:
    cell.metadata.pop('execution', None)
    if 'output-not-kept' in cell.metadata.get('tags', []):
      cell.outputs = []
    if 'outputs' in cell:
      cell.outputs = _joined(cell.outputs)
    for output in cell.get('outputs', []):
      if 'text' in output:
        output['text'] = _plain(output['text'], folder)
    if cell.cell_type == 'code':  # progress bars leave nothing
      cell.outputs = [
        output for output in cell.outputs if output.get('text', 'x').strip()
      ]
  nbformat.write(notebook, path)


def _environment(folder: str) -> Dict[str, str]:
  return {**os.environ, 'MASK2CAD_OUT': folder, 'MASK2CAD_CLONE': str(_CLONE)}


if __name__ == '__main__':
  names = sys.argv[1:] or sorted(p.stem for p in (_CLONE / 'colab').iterdir())
  for name in names:
    run(_CLONE / 'colab' / f'{name}.ipynb')
