import numpy as np
import pytest
import tensorflow as tf

from mask2cad_tf.tasks import loss_guard

_NAMES = ('box', 'center')


@pytest.fixture(name='guard')
def _guard():
  return loss_guard.LossGuard(_NAMES, batch_size=2)


def _record(guard, steps):
  """Runs steps of (box, center, photos) in a graph, as the trainer does."""

  @tf.function
  def record(box, center, photos, step):
    guard.record({'box': box, 'center': center}, photos, step)

  for step, (box, center, photos) in enumerate(steps):
    record(
      tf.constant(box), tf.constant(center), tf.constant(photos, tf.int64), step
    )


def test_the_first_bad_batch_is_named(guard):
  _record(
    guard,
    [(1.0, 2.0, [5, 6]), (1.0, np.inf, [7, 8]), (np.nan, np.nan, [9, 10])],
  )
  assert guard.finding() == (
    'step 2: center of the photos with the source ids 7, 8'
  )


def test_nothing_bad_nothing_found(guard):
  _record(guard, [(1.0, 2.0, [5, 6])])
  assert guard.finding() is None


def _stop(guard, recovers=False):
  return loss_guard.StopOnBadLoss(
    lambda: guard, lambda: '/runs/a/ckpt-40', recovers
  )


def test_training_stops_with_all_that_is_known(guard):
  _record(guard, [(np.nan, 2.0, [5, 6])])
  logs = {'box': np.nan, 'center': 2.0, 'learning_rate': 0.1}
  with pytest.raises(FloatingPointError) as error:
    _stop(guard)(logs)
  for part in ('step 1: box', '5, 6', '/runs/a/ckpt-40', 'quarantine'):
    assert part in str(error.value)


def test_finite_means_pass(guard):
  _stop(guard)({'box': tf.constant(1.0), 'center': 2.0})


def test_a_variable_of_several_replicas_is_looked_at(guard):
  class Rate:  # as TensorFlow's there: no array, but a tensor
    def __array__(self, dtype=None):
      return tf.constant(0.1)

    def __tf_tensor__(self, dtype=None, name=None):
      return tf.constant(0.1)

  _stop(guard)({'learning_rate': Rate()})


def test_a_trainer_that_recovers_is_left_to_it(guard, caplog):
  _record(guard, [(np.nan, 2.0, [5, 6])])
  _stop(guard, recovers=True)({'box': np.nan})
  assert 'step 1: box' in caplog.text
  _record(guard, [(1.0, np.nan, [7, 8])])  # the next one is found again
  assert 'center of the photos with the source ids 7, 8' in guard.finding()
