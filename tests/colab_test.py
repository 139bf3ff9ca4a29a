"""The notebooks, executed from top to bottom; the same cells, less of all."""

import os
import pathlib
import re

import nbclient
import nbformat
import pytest

_CLONE = pathlib.Path(__file__).parent.parent
_FOLDER = _CLONE / 'colab'
_NAMES = ('1_photo_to_scene', '2_train_on_your_cads', '3_serve_it')
_MAX_BYTES = 300_000  # of a notebook with its outputs


def _read(name):
  return nbformat.read(_FOLDER / f'{name}.ipynb', as_version=4)


def _printed(cell):
  """All text that a cell put out."""
  return ''.join(
    output.get('text', '') or str(output.get('data', {}).get('text/plain', ''))
    for output in cell.get('outputs', [])
  )


@pytest.fixture(params=_NAMES)
def executed(request, tmp_path, monkeypatch):
  """Name and cells of a notebook that has run, and its output folder."""
  monkeypatch.setenv('MASK2CAD_SHORT', '1')
  monkeypatch.setenv('MASK2CAD_OUT', str(tmp_path))
  monkeypatch.setenv('MASK2CAD_CLONE', str(_CLONE))
  monkeypatch.setenv('no_proxy', '127.0.0.1')
  notebook = _read(request.param)
  nbclient.NotebookClient(
    notebook,
    timeout=600,
    kernel_name='python3',
    resources={'metadata': {'path': str(_CLONE)}},
  ).execute()
  return request.param, notebook, tmp_path


def test_runs_from_top_to_bottom(executed):
  name, notebook, folder = executed
  text = '\n'.join(map(_printed, notebook.cells))
  assert 'Traceback' not in text
  if name == '1_photo_to_scene':
    assert os.listdir(folder / 'scenes' / '0001')
    assert re.search(r'bed 0\.\d\d: bed/', text)
    (page,) = [c for c in notebook.cells if 'srcdoc' in c.source]
    (shown,) = page.outputs
    assert '<iframe srcdoc=' in shown['data']['text/html']
  elif name == '2_train_on_your_cads':
    assert (folder / 'exported' / '1' / 'saved_model.pb').exists()
    tables = [
      output['data']['text/markdown']
      for cell in notebook.cells
      for output in cell.get('outputs', [])
      if 'text/markdown' in output.get('data', {})
    ]
    assert len(tables) == 2 and all('| all |' in table for table in tables)
  else:
    assert 'bed/' in text and 'new_' in text
    assert 'refused: ' in text and 'neither JPEG nor PNG' in text
    assert os.listdir(folder / 'scenes' / '0001')


@pytest.mark.parametrize('name', ['1_photo_to_scene', '3_serve_it'])
def test_outputs_are_there_and_small(name):
  notebook = _read(name)
  assert (_FOLDER / f'{name}.ipynb').stat().st_size < _MAX_BYTES
  assert 'Running time' in notebook.cells[0].source
  codes = [cell for cell in notebook.cells if cell.cell_type == 'code']
  assert [cell.execution_count for cell in codes] == list(
    range(1, len(codes) + 1)
  )
  assert any(cell.outputs for cell in codes)
  assert not any(
    output.output_type == 'error' for cell in codes for output in cell.outputs
  )
