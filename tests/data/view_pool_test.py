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
