import base64
import io

import numpy as np
import trimesh
from PIL import Image

from mask2cad_tf.evaluation import report_pictures


def test_a_cad_is_framed_on_paper(tmp_path):
  path = str(tmp_path / 'box.ply')
  trimesh.creation.box([1.0, 1.0, 1.0]).export(path)
  pictures = report_pictures.CadPictures()
  cube = pictures.render(path, np.eye(3))
  assert cube.shape == (112, 112, 3) and cube.dtype == np.uint8
  assert cube[0, 0].tolist() == [250] * 3
  dark = cube[..., 0] < 240
  assert dark[56, 56]
  # 90 % of 112 pixels, both ways.
  assert abs(dark.any(axis=0).sum() - 101) < 3
  assert abs(dark.any(axis=1).sum() - 101) < 3
  # Half as high: half the rows.
  flat = pictures.render(path, np.eye(3), (1.0, 0.5, 1.0))
  rows = (flat[..., 0] < 240).any(axis=1).sum()
  assert abs(rows - 50) < 4


def test_a_jpeg_in_the_page():
  url = report_pictures.jpeg_url(np.full([10, 20, 3], 128, np.uint8))
  head, content = url.split(',')
  assert head == 'data:image/jpeg;base64'
  with Image.open(io.BytesIO(base64.b64decode(content))) as picture:
    assert picture.size == (20, 10)
