"""Silhouettes in 32 x 32 cells: bits, the mask's own square, overlaps."""

import numpy as np
import pytest

from mask2cad_tf.geometry import renderer
from mask2cad_tf.geometry import rotations
from mask2cad_tf.geometry import views
from mask2cad_tf.retrieval import view_silhouettes
from tests import toy

_SIDE = view_silhouettes.SIDE


def _cells(rng, count=3):
  return rng.random((count, _SIDE, _SIDE)) > 0.5


@pytest.mark.parametrize('step', [1, 4])
def test_pack_and_unpack(step):
  cells = _cells(np.random.default_rng(step))
  renderings = 0.7 * cells.repeat(step, axis=1).repeat(step, axis=2)
  packed = view_silhouettes.pack(renderings)
  assert packed.shape == (3, 128)
  assert packed.dtype == np.uint8
  np.testing.assert_array_equal(
    view_silhouettes.unpack(packed), cells.reshape(3, -1)
  )


def test_first_bit_first():
  # Cells 0 and 9 of the first row: bytes 1000 0000 and 0100 0000.
  rendering = np.zeros((1, _SIDE, _SIDE))
  rendering[0, 0, [0, 9]] = 1.0
  packed = view_silhouettes.pack(rendering)[0]
  assert packed[:2].tolist() == [128, 64]
  assert not packed[2:].any()


def test_a_cell_counts_from_half_its_pixels_on():
  rendering = np.zeros((1, 2 * _SIDE, 2 * _SIDE))
  rendering[0, 0, 0] = 1.0  # a quarter of cell 0
  rendering[0, :2, 2] = 0.01  # half of cell 1, dark but there
  found = view_silhouettes.unpack(view_silhouettes.pack(rendering))[0]
  assert np.flatnonzero(found).tolist() == [1]


def _profile(low, high):
  """Cover of the 32 cells by an interval, in cells."""
  cells = np.arange(_SIDE)
  return np.clip(np.minimum(cells + 1, high) - np.maximum(cells, low), 0, 1)


def test_a_square_fills_four_fifths():
  # 40 pixels in a frame of 50: cells 3.2 to 28.8 of 32, both ways.
  mask = np.zeros((120, 160), bool)
  mask[30:70, 50:90] = True
  target, inside = view_silhouettes.of_mask(mask)
  assert inside.all()
  expected = np.outer(_profile(3.2, 28.8), _profile(3.2, 28.8))
  assert expected.sum() == pytest.approx(0.8**2 * _SIDE**2)
  np.testing.assert_allclose(target.reshape(_SIDE, _SIDE), expected, atol=1e-5)


def test_the_longer_side_sets_the_frame():
  # 10 x 40 pixels: rows 12.8 to 19.2, columns 3.2 to 28.8.
  mask = np.zeros((120, 160), bool)
  mask[30:40, 50:90] = True
  target, _ = view_silhouettes.of_mask(mask)
  np.testing.assert_allclose(
    target.reshape(_SIDE, _SIDE),
    np.outer(_profile(12.8, 19.2), _profile(3.2, 28.8)),
    atol=1e-5,
  )


def test_cells_outside_the_photo_do_not_count():
  # The frame reaches 5 of its 50 pixels, 3.2 cells, beyond the upper border
  # and the left one: cell 3 has its centre at 3.5, inside.
  mask = np.zeros((120, 160), bool)
  mask[:40, :40] = True
  _, inside = view_silhouettes.of_mask(mask)
  expected = np.arange(_SIDE) >= 3
  np.testing.assert_array_equal(
    inside.reshape(_SIDE, _SIDE), np.outer(expected, expected)
  )


def test_an_empty_mask_has_no_cell():
  target, inside = view_silhouettes.of_mask(np.zeros((5, 7), bool))
  assert target.shape == inside.shape == (_SIDE**2,)
  assert not target.any() and not inside.any()


def test_iou_by_hand():
  # Of the first three cells: both 1 + 0.5, view 2, mask 2.5: 1.5 / 3.
  target = np.zeros(_SIDE**2, np.float32)
  target[:4] = [1.0, 1.0, 0.5, 1.0]
  inside = np.arange(_SIDE**2) < 3
  view = np.zeros((2, 1, _SIDE**2), bool)
  view[0, 0, [0, 2, 3]] = True
  found = view_silhouettes.iou(target, inside, view)
  assert found.shape == (2, 1)
  np.testing.assert_allclose(found[:, 0], [0.5, 0.0])


@pytest.mark.parametrize('seed', range(3))
def test_a_view_finds_itself_among_others(seed):
  # A photo that is a view, shifted and twice as large.
  rng = np.random.default_rng(seed)
  rotation = rotations.matrix_from_quaternion(
    rotations.random_rotations(1, rng)[0]
  )
  names = ('chair/high', 'sofa/straight', 'table/round')
  cads = toy.box_furniture()
  renderings = np.stack(
    [
      views.render_view(renderer.Renderer(cads[name]), rotation)
      for name in names
    ]
  )
  packed = view_silhouettes.pack(renderings.astype(np.float32))
  for own, rendering in enumerate(renderings):
    mask = np.zeros((300, 320), bool)
    mask[20:276, 40:296] = (rendering > 0).repeat(2, axis=0).repeat(2, axis=1)
    overlaps = view_silhouettes.iou(
      *view_silhouettes.of_mask(mask), view_silhouettes.unpack(packed)
    )
    assert overlaps.argmax() == own
    assert overlaps[own] > 0.75  # thin legs are a cell wide
