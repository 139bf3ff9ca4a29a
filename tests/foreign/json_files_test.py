"""JSON from elsewhere."""

import pytest

from mask2cad_tf.foreign import json_files


def test_content(tmp_path):
  (tmp_path / 'a.json').write_text('{"ä": [1, null]}', encoding='utf-8')
  assert json_files.read(str(tmp_path / 'a.json')) == {'ä': [1, None]}


@pytest.mark.parametrize(
  'data', [b'', b'{', b'[' * 100_000, b'"\xff"', b'9' * 5000]
)
def test_refused(tmp_path, data):
  (tmp_path / 'a.json').write_bytes(data)
  with pytest.raises(ValueError, match=r'a\.json. is not JSON \(.*Mend it\.$'):
    json_files.read(str(tmp_path / 'a.json'), 'Mend it.')
