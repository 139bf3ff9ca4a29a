"""Pictures side by side."""

import pytest
from PIL import Image

from mask2cad_tf.scene import contact_sheet


def test_one_height_left_to_right(tmp_path):
  for name, size, color in (('a', (36, 72), 'red'), ('b', (72, 36), 'blue')):
    Image.new('RGB', size, color).save(tmp_path / f'{name}.png')
  output = tmp_path / 'sheet.png'
  contact_sheet.write([tmp_path / 'a.png', tmp_path / 'b.png'], output)
  sheet = Image.open(output)
  # 36 x 72 -> 180 x 360, 72 x 36 -> 720 x 360; three gaps of 8 pixels.
  assert sheet.size == (180 + 720 + 24, 360 + 16)
  assert sheet.getpixel((20, 100)) == (255, 0, 0)
  assert sheet.getpixel((500, 100)) == (0, 0, 255)
  assert len(list(tmp_path.iterdir())) == 3


def test_no_picture(tmp_path):
  with pytest.raises(ValueError, match='at least one'):
    contact_sheet.write([], tmp_path / 'sheet.png')
  assert not list(tmp_path.iterdir())
