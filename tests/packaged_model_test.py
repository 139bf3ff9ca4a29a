import pytest

from mask2cad_tf import packaged_model


def test_an_installation_without_one_is_told(monkeypatch, tmp_path):
  monkeypatch.setattr(packaged_model, '_FOLDER', tmp_path)
  with pytest.raises(FileNotFoundError, match='No packaged model.*--model'):
    packaged_model.folder()
  (tmp_path / 'params.yaml').touch()
  assert packaged_model.folder() == str(tmp_path)
