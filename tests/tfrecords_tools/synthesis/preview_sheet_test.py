import os

import numpy as np
import pytest
from PIL import Image

from tfrecords_tools.synthesis import preview_sheet


def _sheet(records, folder, count):
  path = str(folder / 'sheet.png')
  preview_sheet.make(records, path, count)
  assert os.listdir(folder) == ['sheet.png']  # nothing temporary is left
  with Image.open(path) as image:
    return np.asarray(image.convert('RGB'))


def test_photos_stand_in_rows_of_six(toy_data, tmp_path):
  sheet = _sheet(toy_data.scene_records, tmp_path, 7)
  assert sheet.shape == (640, 1920, 3)
  # Places eight to twelve are empty.
  assert len(np.unique(sheet[320:, 320:].reshape(-1, 3), axis=0)) == 1
  assert len(np.unique(sheet[320:, :320].reshape(-1, 3), axis=0)) > 100


def test_fewer_photos_than_asked_for(toy_data, tmp_path):
  assert _sheet(toy_data.photo_records, tmp_path, 24).shape == (320, 960, 3)


def test_masks_and_boxes_are_drawn_in_colour(toy_data, tmp_path):
  sheet = _sheet(toy_data.scene_records, tmp_path, 1).astype(int)
  # The toy's background is grey; an object's outline is the first colour.
  outline = (np.abs(sheet - (255, 99, 72)).sum(axis=-1) < 30).sum()
  assert outline > 100


def test_no_records_are_an_error(tmp_path):
  with pytest.raises(FileNotFoundError):
    preview_sheet.make(str(tmp_path / '*'), str(tmp_path / 'out.png'), 4)
