"""Embedding and silhouette propose CADs together."""

import numpy as np
import pytest

from mask2cad_tf.retrieval import candidates
from mask2cad_tf.retrieval import gallery as gallery_lib
from mask2cad_tf.retrieval import view_silhouettes

_COUNT = 40  # CADs of class 1; one more is of class 2
_TAKEN = 30


def _mask():
  mask = np.zeros((100, 120), bool)
  mask[30:70, 40:80] = True
  return mask


def _square():
  """The silhouette of `_mask`."""
  return np.packbits(view_silhouettes.of_mask(_mask())[0] > 0.5)


def _about_y(*degrees):
  half = np.radians(degrees) / 2.0
  zero = np.zeros(len(degrees))
  return np.stack([np.cos(half), zero, np.sin(half), zero], axis=-1)


def _gallery(num_views=1, **changes):
  """Cosines with (1, 0) fall from 1 by 0.02 a CAD; silhouettes are empty."""
  cosines = np.append(1.0 - 0.02 * np.arange(_COUNT), 1.0)
  embeddings = np.stack([cosines, np.sqrt(1.0 - cosines**2)], axis=-1)
  names = ['bed'] * _COUNT + ['chair']
  fields = dict(
    path='',
    class_names=('bed', 'chair', 'desk'),
    encoder='',
    cads=tuple(
      gallery_lib.Cad(f'{name}/{i}', name, '', '')
      for i, name in enumerate(names)
    ),
    embeddings=np.repeat(embeddings[:, np.newaxis], num_views, axis=1).astype(
      np.float32
    ),
    rotations=np.tile(_about_y(*[0.0] * num_views), [_COUNT + 1, 1, 1]),
    valid=np.ones((_COUNT + 1, num_views), bool),
    silhouettes=np.zeros((_COUNT + 1, num_views, 128), np.uint8),
  )
  return gallery_lib.Gallery(**{**fields, **changes})


def _propose(gallery, label=1, mask=None, embedding=(3.0, 0.0)):
  return candidates.propose(
    np.array(embedding, np.float32),
    label,
    _mask() if mask is None else mask,
    gallery,
  )


def test_by_embedding_alone_the_thirty_best():
  found = _propose(_gallery())
  assert [each.row for each in found] == list(range(_TAKEN))
  np.testing.assert_allclose(
    [each.similarity for each in found],
    1.0 - 0.02 * np.arange(_TAKEN),
    atol=1e-6,
  )


def test_the_silhouette_brings_in_the_last():
  # The last has cosine 1 - 39 * 0.02 = 0.22; with its IoU of nearly 1 it is
  # before the first, whose silhouette is empty.
  silhouettes = np.zeros((_COUNT + 1, 1, 128), np.uint8)
  silhouettes[_COUNT - 1, 0] = _square()
  found = _propose(_gallery(silhouettes=silhouettes))
  assert [each.row for each in found] == [_COUNT - 1, *range(_TAKEN - 1)]
  assert found[0].similarity == pytest.approx(0.22, abs=1e-6)


def test_no_mask_no_silhouette():
  silhouettes = np.zeros((_COUNT + 1, 1, 128), np.uint8)
  silhouettes[_COUNT - 1, 0] = _square()
  found = _propose(
    _gallery(silhouettes=silhouettes), mask=np.zeros((100, 120), bool)
  )
  assert [each.row for each in found] == list(range(_TAKEN))


def test_only_the_class():
  (found,) = _propose(_gallery(), label=2)
  assert found.row == _COUNT
  assert _propose(_gallery(), label=3) == []


def test_the_embeddings_lengths_do_not_matter():
  gallery = _gallery()
  longer = gallery.embeddings.copy()
  longer[5] *= 7.0
  found = _propose(_gallery(embeddings=longer), embedding=(0.1, 0.0))
  assert [each.row for each in found] == list(range(_TAKEN))


def _views(scores, valid=None):
  """One CAD of class 2 with views of these cosines."""
  scores = np.array(scores, np.float64)
  gallery = _gallery(len(scores))
  embeddings = gallery.embeddings.copy()
  embeddings[_COUNT] = np.stack([scores, np.sqrt(1 - scores**2)], axis=-1)
  marks = np.ones((_COUNT + 1, len(scores)), bool)
  if valid is not None:
    marks[_COUNT] = valid
  turns = np.tile(
    _about_y(0.0, 40.0, 5.0, 80.0, 120.0)[: len(scores)], [_COUNT + 1, 1, 1]
  )
  return _gallery(
    len(scores), embeddings=embeddings, valid=marks, rotations=turns
  )


def _degrees(found):
  """Angles about y of the proposed rotations."""
  return np.degrees(
    np.arctan2(found.rotations[:, 0, 2], found.rotations[:, 0, 0])
  )


def test_the_best_views_that_are_apart():
  # Views at 0, 40, 5, 80, 120 degrees. Best first: 0, 5 (too close), 80, 40.
  (found,) = _propose(_views([0.9, 0.6, 0.8, 0.7, 0.5]), label=2)
  assert found.similarity == pytest.approx(0.9, abs=1e-6)
  np.testing.assert_allclose(_degrees(found), [0.0, 80.0, 40.0], atol=1e-3)
  # 5 before 0: then 0 is too close.
  (found,) = _propose(_views([0.8, 0.6, 0.9, 0.7, 0.5]), label=2)
  np.testing.assert_allclose(_degrees(found), [5.0, 80.0, 40.0], atol=1e-3)


def test_silhouettes_order_the_views():
  gallery = _views([0.7, 0.8, 0.6, 0.5, 0.9])
  silhouettes = gallery.silhouettes.copy()
  silhouettes[_COUNT, 3] = _square()  # 0.5 + half an IoU of nearly 1
  (found,) = _propose(
    gallery_lib.Gallery(**{**vars(gallery), 'silhouettes': silhouettes}),
    label=2,
  )
  np.testing.assert_allclose(_degrees(found), [80.0, 120.0, 40.0], atol=1e-3)
  assert found.similarity == pytest.approx(0.9, abs=1e-6)


def test_views_that_repeat_another_do_not_count():
  (found,) = _propose(_views([0.7, 0.8], valid=[True, False]), label=2)
  assert found.similarity == pytest.approx(0.7, abs=1e-6)
  np.testing.assert_allclose(_degrees(found)[0], 0.0, atol=1e-3)


def test_hidden_cads_are_not_found():
  gallery = _gallery()
  found = candidates.propose(
    np.array([3.0, 0.0], np.float32), 1, _mask(), gallery, {'bed/0', 'bed/2'}
  )
  assert [candidate.row for candidate in found][:2] == [1, 3]
