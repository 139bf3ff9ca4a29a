"""Notebook 1, executed. A file each: the suite's workers share them out."""

import os
import re

from tests.colab import notebooks


def test_runs_from_top_to_bottom(tmp_path, monkeypatch):
  cells, text = notebooks.execute('1_photo_to_scene', tmp_path, monkeypatch)
  assert os.listdir(tmp_path / 'scenes' / '0001')
  assert re.search(r'bed [01]\.\d\d: bed/', text)
  (page,) = [cell for cell in cells if 'srcdoc' in cell.source]
  (shown,) = page.outputs
  assert '<iframe srcdoc=' in shown['data']['text/html']
