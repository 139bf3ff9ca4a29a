"""Notebook 3, executed."""

import os

from tests.colab import notebooks


def test_runs_from_top_to_bottom(tmp_path, monkeypatch):
  _, text = notebooks.execute('3_serve_it', tmp_path, monkeypatch)
  assert 'bed/' in text and 'new_' in text
  assert 'refused: ' in text and 'neither JPEG nor PNG' in text
  assert os.listdir(tmp_path / 'scenes' / '0001')
