"""`diff`: what came, went, changed, looks alike."""

import dataclasses

import numpy as np

from mask2cad_tf.retrieval import gallery as gallery_lib
from mask2cad_tf.retrieval import gallery_difference

# Embeddings of two views each. a and b: cosines 1 and 0.6, mean 0.8; a and c:
# 1 and 0.96, mean 0.98.
_VIEWS = {
  'bed/a': [[1.0, 0.0], [0.0, 1.0]],
  'bed/b': [[2.0, 0.0], [0.8, 0.6]],
  'bed/c': [[1.0, 0.0], [0.28, 0.96]],
  'chair/a': [[1.0, 0.0], [0.0, 1.0]],
}


def _gallery(*cad_ids, **changes):
  count = len(cad_ids)
  fields = dict(
    path='',
    class_names=('bed', 'chair'),
    encoder='e',
    cads=tuple(
      gallery_lib.Cad(cad_id, cad_id.split('/')[0], 'm', '1')
      for cad_id in cad_ids
    ),
    embeddings=np.array([_VIEWS[cad_id] for cad_id in cad_ids], np.float32),
    rotations=np.tile(np.float32([1.0, 0.0, 0.0, 0.0]), (count, 2, 1)),
    valid=np.ones((count, 2), bool),
    silhouettes=np.zeros((count, 2, 128), np.uint8),
  )
  return gallery_lib.Gallery(**{**fields, **changes})


def test_equal_galleries():
  difference = gallery_difference.compare(
    _gallery('bed/a', 'bed/c'), _gallery('bed/a', 'bed/c')
  )
  # Alike within a gallery is not between the two.
  assert difference == gallery_difference.Difference((), (), (), ())


def test_what_came_and_went():
  difference = gallery_difference.compare(
    _gallery('bed/a', 'bed/b'), _gallery('bed/b', 'bed/c', 'chair/a')
  )
  assert difference.added == ('bed/c', 'chair/a')
  assert difference.removed == ('bed/a',)
  assert difference.changed == ()
  ((one, two, cosine),) = difference.near_duplicates
  assert (one, two) == ('bed/a', 'bed/c')
  np.testing.assert_allclose(cosine, 0.98, atol=1e-6)


def test_as_json():
  near = (('bed/a', 'bed/c', 0.98),)
  changed = (('bed/b', ('scale', 'embeddings')),)
  difference = gallery_difference.Difference(('bed/c',), (), changed, near)
  assert difference.to_json() == {
    'added': ['bed/c'],
    'removed': [],
    'changed': [{'id': 'bed/b', 'fields': ['scale', 'embeddings']}],
    'near_duplicates': [{'id': 'bed/a', 'other_id': 'bed/c', 'cosine': 0.98}],
  }
  for near, told in ((None, None), ((), [])):  # unknown is not none
    other = dataclasses.replace(difference, near_duplicates=near)
    assert other.to_json()['near_duplicates'] == told


def test_what_changed_is_named():
  first = _gallery('bed/a', 'bed/b')
  bed, other = first.cads
  cads = (dataclasses.replace(bed, sha256='2', licence='CC0'), other)
  embeddings = first.embeddings.copy()
  embeddings[1] += 1.0
  changed = dataclasses.replace(first, cads=cads, embeddings=embeddings)
  difference = gallery_difference.compare(first, changed)
  assert difference.changed == (
    ('bed/a', ('sha256', 'licence')),
    ('bed/b', ('embeddings',)),
  )


def test_other_encoders_do_not_compare():
  difference = gallery_difference.compare(
    _gallery('bed/a', 'bed/b'),
    _gallery(
      'bed/a', 'bed/c', encoder='f', embeddings=np.ones((2, 2, 2), np.float32)
    ),
  )
  assert difference.added == ('bed/c',)
  assert difference.changed == ()
  assert difference.near_duplicates is None


def test_other_rotations_do_not_compare():
  turned = np.tile(np.float32([0.0, 1.0, 0.0, 0.0]), (1, 2, 1))
  difference = gallery_difference.compare(
    _gallery('bed/a'), _gallery('bed/c', rotations=turned)
  )
  assert difference.near_duplicates == ()
