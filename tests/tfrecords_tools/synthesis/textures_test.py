import pickle

import numpy as np
import pytest
from PIL import Image

from tfrecords_tools.synthesis import colors
from tfrecords_tools.synthesis import patterns
from tfrecords_tools.synthesis import textures


@pytest.mark.parametrize('kind', textures.KINDS)
def test_every_kind_has_textures(kind):
  bank = textures.TextureBank()
  drawn = [bank.draw(np.random.default_rng(s), kind) for s in range(12)]
  for texture in drawn:
    assert texture.shape == (256, 256, 3) and texture.dtype == np.uint8
  assert len({texture.tobytes() for texture in drawn}) > 1


def test_equal_seeds_draw_equal_textures_in_any_bank():
  one, two = (
    textures.TextureBank(),
    pickle.loads(pickle.dumps(textures.TextureBank())),
  )
  for seed in range(5):
    np.testing.assert_array_equal(
      one.draw(np.random.default_rng(seed), 'any'),
      two.draw(np.random.default_rng(seed), 'any'),
    )


def test_nobody_can_write_into_the_bank():
  texture = textures.TextureBank().draw(np.random.default_rng(0), 'wood')
  with pytest.raises(ValueError):
    texture[0, 0] = 0


def test_noise_tiles_and_has_the_promised_spread():
  field = patterns.noise(np.random.default_rng(0), 1.8)
  assert abs(field.mean() - 0.5) < 1e-3 and abs(field.std() - 0.2) < 1e-3
  inside = np.abs(np.diff(field, axis=0)).mean()
  seam = np.abs(field[0] - field[-1]).mean()
  assert seam < 1.5 * inside


def test_the_users_images_are_drawn_where_they_belong(tmp_path):
  (tmp_path / 'wood').mkdir()
  red = Image.new('RGB', (40, 20), (250, 10, 10))
  red.save(tmp_path / 'wood' / 'red.png')
  Image.new('RGB', (300, 300), (10, 250, 10)).save(tmp_path / 'green.png')
  bank = textures.TextureBank(str(tmp_path))
  seen = {
    kind: {
      tuple(bank.draw(np.random.default_rng(s), kind)[9, 9]) for s in range(40)
    }
    for kind in ('wood', 'floor', 'any')
  }
  red, green = (250, 10, 10), (10, 250, 10)
  assert red in seen['wood'] and green not in seen['wood']
  assert green in seen['floor'] and red not in seen['floor']
  assert {red, green} < seen['any']


def test_a_folder_that_is_not_there():
  with pytest.raises(FileNotFoundError, match='/no/such'):
    textures.TextureBank('/no/such')


def test_a_folder_without_images(tmp_path):
  (tmp_path / 'notes.txt').write_text('none')
  with pytest.raises(ValueError, match='No images'):
    textures.TextureBank(str(tmp_path))


def test_an_image_that_cannot_be_read(tmp_path):
  (tmp_path / 'broken.png').write_bytes(b'no picture')
  bank = textures.TextureBank(str(tmp_path))
  with pytest.raises(ValueError, match='broken.png'):
    for seed in range(20):
      bank.draw(np.random.default_rng(seed), 'fabric')


def test_an_unknown_kind():
  with pytest.raises(ValueError, match='cheese'):
    textures.TextureBank().draw(np.random.default_rng(0), 'cheese')


def test_linear_colours_by_hand():
  # ((.5 + .055) / 1.055)^2.4 = .2140; .04 / 12.92 = .0031.
  np.testing.assert_allclose(
    colors.linear(np.array([0.0, 0.04, 0.5, 1.0])),
    [0, 0.003096, 0.21404, 1],
    atol=1e-5,
  )
  assert colors.linear(np.uint8([255]))[0] == 1


def test_colours_are_in_range_and_of_their_family():
  rng = np.random.default_rng(0)
  drawn = np.array([colors.draw(rng) for _ in range(300)])
  assert drawn.dtype == np.float32
  assert drawn.min() > 0 and drawn.max() <= colors.MAX_ALBEDO
  greens = np.array([colors.draw(rng, 'green') for _ in range(30)])
  assert np.all(greens.argmax(axis=1) == 1)
  whites = np.array([colors.draw(rng, 'white') for _ in range(30)])
  assert whites.min() > 0.5
  with pytest.raises(ValueError, match='beige'):
    colors.draw(rng, 'beige')
