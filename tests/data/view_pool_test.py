import numpy as np
import pytest
import tensorflow as tf

from mask2cad_tf.data import view_pool
from mask2cad_tf.data import view_store


@pytest.fixture(scope='module', name='store')
def _store(toy_data):
  return view_store.ViewStore.load(toy_data.view_records)


def _png(store, row, view):
  return tf.io.decode_png(store.views[row, view]).numpy() / np.float32(255)


def _row(store, cad_id):
  return int(store.lookup(tf.constant(cad_id)))


@pytest.mark.parametrize('seed', range(4))
def test_objects_show_three_different_views_and_the_jittered_one(store, seed):
  rows = tf.constant([4, 1])
  jittered = store.views[:2, 0]
  views, padded = view_pool.object_views(
    store, rows, jittered, tf.constant(False), 3, 5, tf.constant([seed, 0])
  )
  assert views.shape == [5, 4, 128, 128, 1]
  np.testing.assert_array_equal(padded, [4, 1, -1, -1, -1])
  for place, row in enumerate((4, 1)):
    known = [_png(store, row, view).tobytes() for view in range(16)]
    shown = [views[place, i].numpy().tobytes() for i in range(3)]
    assert all(view in known for view in shown)
    np.testing.assert_array_equal(views[place, 3], _png(store, place, 0))
  assert not views[2:].numpy().any()


def test_a_canonical_view_may_take_the_jittered_ones_place(store):
  views, _ = view_pool.object_views(
    store, tf.constant([4]), None, tf.constant(True), 3, 2, tf.constant([1, 2])
  )
  assert views.shape == [2, 4, 128, 128, 1]
  known = [_png(store, 4, view).tobytes() for view in range(16)]
  assert all(views[0, i].numpy().tobytes() in known for i in range(4))


def test_flip_turns_the_jittered_view_only(store):
  arguments = (3, 2, tf.constant([1, 2]))
  plain, flipped = (
    view_pool.object_views(
      store, tf.constant([5]), store.views[5, :1], tf.constant(flip), *arguments
    )[0]
    for flip in (False, True)
  )
  np.testing.assert_array_equal(plain[0, :3], flipped[0, :3])
  np.testing.assert_array_equal(plain[0, 3][:, ::-1], flipped[0, 3])


def test_unknown_cad_is_black(store):
  views, rows = view_pool.object_views(
    store,
    tf.constant([-1]),
    store.views[5, :1],
    tf.constant(False),
    3,
    2,
    tf.constant([1, 2]),
  )
  assert not views.numpy().any()
  np.testing.assert_array_equal(rows, [-1, -1])


@pytest.mark.parametrize('seed', range(6))
def test_distractors_share_a_class_and_no_cad(store, seed):
  own = _row(store, 'table/round')
  views, rows = view_pool.distractor_views(
    store, tf.constant([own, -1]), 4, 5, tf.constant([seed, 0])
  )
  # Of the three tables two are left.
  others = [row for row in rows.numpy() if row >= 0]
  assert sorted(others) == sorted(
    _row(store, cad) for cad in ('table/long', 'table/square')
  )
  assert views.shape == [5, 4, 128, 128, 1]
  assert views[:2].numpy().any(axis=(1, 2, 3, 4)).all()
  assert not views[2:].numpy().any()


def _nearest(store, row, rotation, count):
  """Views of a row in the order of their angle to a rotation."""
  cosines = np.abs(store.rotations[row].numpy() @ rotation)
  angles = 2.0 * np.arccos(np.clip(cosines, 0.0, 1.0))
  return np.argsort(angles, kind='stable')[:count]


@pytest.mark.parametrize('seed', range(3))
def test_own_views_nearest_to_the_object(store, seed):
  rng = np.random.default_rng(seed)
  toward = rng.normal(size=(2, 4)).astype(np.float32)
  toward /= np.linalg.norm(toward, axis=-1, keepdims=True)
  rows = tf.constant([4, 1])
  for sign in (1.0, -1.0):  # q and -q are one rotation
    views, _ = view_pool.object_views(
      store,
      rows,
      store.views[:2, 0],
      tf.constant(False),
      3,
      2,
      tf.constant([seed, 0]),
      tf.constant(sign * toward),
    )
    for place, row in enumerate((4, 1)):
      for i, view in enumerate(_nearest(store, row, toward[place], 3)):
        np.testing.assert_array_equal(views[place, i], _png(store, row, view))


def test_a_views_own_rotation_comes_first(store):
  views, _ = view_pool.object_views(
    store,
    tf.constant([5]),
    store.views[:1, 0],
    tf.constant(False),
    1,
    1,
    tf.constant([0, 0]),
    store.rotations[5, 11:12],
  )
  np.testing.assert_array_equal(views[0, 0], _png(store, 5, 11))


@pytest.mark.parametrize('seed', range(3))
def test_distractors_are_seen_as_the_object_of_their_class(store, seed):
  # Two objects: others of the first one's class turn as the first, those of
  # the second one's class as the second. The unknown one turns nobody.
  own = [_row(store, 'chair/low'), -1, _row(store, 'sofa/straight')]
  rng = np.random.default_rng(seed)
  toward = rng.normal(size=(3, 4)).astype(np.float32)
  toward /= np.linalg.norm(toward, axis=-1, keepdims=True)
  views, rows = view_pool.distractor_views(
    store, tf.constant(own), 2, 4, tf.constant([seed, 0]), tf.constant(toward)
  )
  found = [row for row in rows.numpy() if row >= 0]
  assert len(found) == 3  # two chairs, one sofa
  for place, row in enumerate(found):
    rotation = toward[2 if row == _row(store, 'sofa/corner') else 0]
    for i, view in enumerate(_nearest(store, row, rotation, 2)):
      np.testing.assert_array_equal(views[place, i], _png(store, row, view))


def _featured(store):
  """The store with features [1, 2, 1] in the views' place: row, view."""
  count, num_views = store.views.shape
  features = np.zeros([count, num_views, 1, 2, 1], '<f2')
  features[..., 0, 0, 0] = np.arange(count)[:, np.newaxis]
  features[..., 0, 1, 0] = np.arange(num_views)
  return view_store.dataclasses.replace(
    store,
    views=tf.constant(
      [[view.tobytes() for view in views] for views in features]
    ),
    feature_shape=(1, 2, 1),
  )


def test_cached_features_in_the_views_place(store):
  featured = _featured(store)
  # The first of those that repeat view 11.
  (nearest,) = _nearest(store, 5, store.rotations[5, 11].numpy(), 1)
  jittered = tf.constant([np.array([7.0, 8.0], '<f2').tobytes()] * 2)
  views, rows = view_pool.object_views(
    featured,
    tf.constant([5, -1]),
    jittered,
    tf.constant(False),
    1,
    3,
    tf.constant([0, 0]),
    tf.tile(store.rotations[5, 11:12], [2, 1]),
  )
  assert views.shape == [3, 2, 1, 2, 1]
  assert views.dtype == tf.float16
  np.testing.assert_array_equal(rows, [5, -1, -1])
  np.testing.assert_array_equal(
    tf.reshape(views, [3, 2, 2]),
    [[[5, nearest], [7, 8]], [[0, 0], [0, 0]], [[0, 0], [0, 0]]],
  )
  others, rows = view_pool.distractor_views(
    featured, tf.constant([5]), 2, 1, tf.constant([0, 0])
  )
  assert others.shape == [1, 2, 1, 2, 1]
  np.testing.assert_array_equal(others[0, :, 0, 0, 0], [rows[0]] * 2)


def test_distractors_vary(store):
  own = tf.constant([_row(store, 'chair/low')])
  firsts = {
    int(
      view_pool.distractor_views(store, own, 4, 1, tf.constant([seed, 0]))[1][0]
    )
    for seed in range(20)
  }
  assert firsts == {_row(store, 'chair/high'), _row(store, 'chair/stool')}


def test_no_objects_no_distractors(store):
  _, rows = view_pool.distractor_views(
    store, tf.zeros([0], tf.int32), 4, 3, tf.constant([0, 0])
  )
  np.testing.assert_array_equal(rows, [-1, -1, -1])


def test_duplicates_are_no_distractors(store):
  own = _row(store, 'chair/low')
  twin = _row(store, 'chair/high')
  groups = store.groups.numpy()
  groups[own] = twin
  twins = view_store.dataclasses.replace(store, groups=tf.constant(groups))
  _, rows = view_pool.distractor_views(
    twins, tf.constant([own]), 4, 3, tf.constant([0, 0])
  )
  assert [row for row in rows.numpy() if row >= 0] == [
    _row(store, 'chair/stool')
  ]
  np.testing.assert_array_equal(twins.group_of(tf.constant([own])), [twin])


def test_crops_keep_size_and_enlarge(store):
  views, _ = view_pool.object_views(
    store,
    tf.constant([2]),
    store.views[2, :1],
    tf.constant(False),
    3,
    1,
    tf.constant([1, 2]),
  )
  same = view_pool.random_crops(views, 1.0, tf.constant([0, 0]))
  np.testing.assert_array_equal(same, views)
  crops = view_pool.random_crops(views, 0.5, tf.constant([0, 0]))
  assert crops.shape == views.shape
  assert np.mean(crops.numpy() > 0) > np.mean(views.numpy() > 0)
  assert crops.numpy().max() <= 1.0
