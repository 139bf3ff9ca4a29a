"""Quiet, few threads, and the toy dataset once per session."""

import os

os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '2')
os.environ.setdefault('OMP_NUM_THREADS', '1')
os.environ.setdefault('TF_NUM_INTRAOP_THREADS', '2')
os.environ.setdefault('TF_NUM_INTEROP_THREADS', '2')

import pytest  # pylint: disable=wrong-import-position


@pytest.fixture(scope='session')
def toy_data(tmp_path_factory):
  """tests.toy.ToyData: records, views, medoids, priors, CAD library."""
  from tests import toy  # imports TensorFlow, which some tests never need

  return toy.make(str(tmp_path_factory.mktemp('toy')))


@pytest.fixture(scope='session')
def tiny_world(tmp_path_factory):
  """tests.tiny_model.TinyWorld: a model folder, its CAD library and gallery."""
  from tests import tiny_model

  return tiny_model.make(str(tmp_path_factory.mktemp('tiny')))


def pytest_collection_modifyitems(items):
  """Drops tf.test.TestCase's own `test_session`, which only skips."""
  items[:] = [item for item in items if item.name != 'test_session']
