"""The notebooks as they are in the repository: run, and small."""

import pytest

from tests.colab import notebooks

_MAX_BYTES = 300_000  # of a notebook with its outputs


@pytest.mark.parametrize('name', notebooks.NAMES)
def test_outputs_are_there_and_small(name):
  notebook = notebooks.read(name)
  path = notebooks.FOLDER / f'{name}.ipynb'
  assert path.stat().st_size < _MAX_BYTES
  assert 'Running time' in notebook.cells[0].source
  codes = [cell for cell in notebook.cells if cell.cell_type == 'code']
  assert [cell.execution_count for cell in codes] == list(
    range(1, len(codes) + 1)
  )
  assert any(cell.outputs for cell in codes)
  for cell in codes:  # a progress bar is one line, how it ended
    names = [output.get('name') for output in cell.outputs]
    assert len(set(names)) == len(names)
  assert not any(
    output.output_type == 'error' for cell in codes for output in cell.outputs
  )
