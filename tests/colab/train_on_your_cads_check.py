"""Notebook 2, executed: by `make notebooks`, since it trains."""

from tests.colab import notebooks


def test_runs_from_top_to_bottom(tmp_path, monkeypatch):
  cells, _ = notebooks.execute('2_train_on_your_cads', tmp_path, monkeypatch)
  assert (tmp_path / 'exported' / '1' / 'saved_model.pb').exists()
  tables = [
    output['data']['text/markdown']
    for cell in cells
    for output in cell.get('outputs', [])
    if 'text/markdown' in output.get('data', {})
  ]
  assert len(tables) == 2 and all('| all |' in table for table in tables)
