"""Pictures of CADs and sheets of them."""

import io

import numpy as np
from PIL import Image

from tests.tfrecords_tools.cad_sources import toy_catalogues
from tfrecords_tools.cad_sources import sweethome3d
from tfrecords_tools.cad_sources import thumbnails


def _picture(png):
  return np.asarray(Image.open(io.BytesIO(png)).convert('RGB')).astype(int)


def _chair(tmp_path, **fields):
  path = toy_catalogues.write(
    tmp_path / 'toy.sh3f', [toy_catalogues.entry(**fields)]
  )
  (model,) = sweethome3d.list_models([path]).cads
  model.write(str(tmp_path))
  return _picture(thumbnails.render(str(tmp_path / 'model.glb')))


def _count(picture, channel):
  """Pixels in which one channel stands out."""
  others = [c for c in range(3) if c != channel]
  found = (picture[..., channel] > 60) & (picture[..., others] < 40).all(-1)
  return found.sum()


def test_a_chair_is_seen_from_its_front(tmp_path):
  picture = _chair(tmp_path)
  assert picture.shape == (thumbnails.SIDE, thumbnails.SIDE, 3)
  assert (picture[0, 0] == 255).all()
  # From the front one sees the seat, red, from behind more of the back, green.
  behind = _chair(tmp_path, modelRotation='-1 0 0 0 1 0 0 0 -1')
  assert _count(picture, 0) > 1.4 * _count(behind, 0) > 0
  assert _count(behind, 1) > 1.4 * _count(picture, 1) > 0


def test_textures_tint(tmp_path):
  obj = (
    b'mtllib m.mtl\nusemtl a\nvt 0 0\nvt 1 0\nvt 0 1\n'
    b'v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1/1 2/2 3/3\nf 1/1 3/3 2/2\n'
  )
  (tmp_path / 'm.obj').write_bytes(obj)
  (tmp_path / 'm.mtl').write_bytes(b'newmtl a\nmap_Kd t.png\n')
  (tmp_path / 't.png').write_bytes(toy_catalogues.png((200, 0, 0)))
  picture = _picture(thumbnails.render(str(tmp_path / 'm.obj')))
  assert _count(picture, 0) > 500


def test_a_mesh_without_colours_is_grey(tmp_path):
  text = toy_catalogues.box((0, 0, 0), (1, 1, 1))
  (tmp_path / 'm.obj').write_text(text)
  picture = _picture(thumbnails.render(str(tmp_path / 'm.obj')))
  assert (picture.max(axis=-1) - picture.min(axis=-1)).max() <= 1
  assert picture.min() < 160


def _thumbnail(group, caption, color=(9, 9, 9)):
  png = toy_catalogues.png(color, (thumbnails.SIDE, thumbnails.SIDE))
  return thumbnails.Thumbnail(group, caption, png)


def test_a_sheet_has_a_heading_and_rows_a_group():
  members = [_thumbnail('bed', f'b{i}') for i in range(15)]  # two rows of 14
  page = _picture(thumbnails.sheet('toy', [*members, _thumbnail('sofa', 's')]))
  row = thumbnails.SIDE + 24 + 4
  assert page.shape[0] == 26 * 3 + 3 * row + 4
  dark = (page == 9).all(axis=-1).sum()
  assert dark >= 16 * thumbnails.SIDE**2
  assert dark < 16 * thumbnails.SIDE**2 + 400  # letters


def test_sheets_are_reproducible():
  pictures = [_thumbnail('bed', 'a'), _thumbnail('bed', 'b', (200, 0, 0))]
  assert thumbnails.sheet('t', pictures) == thumbnails.sheet('t', pictures)
