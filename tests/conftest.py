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


@pytest.fixture(scope='session')
def servable(tiny_world, tmp_path_factory):
  """tests.stand_in_server.Servable: the tiny model, exported and loaded."""
  import tensorflow as tf

  from tests import stand_in_server

  folder = str(tmp_path_factory.mktemp('served') / '1')
  module = tiny_world.module
  tf.saved_model.save(module, folder, signatures=module.signatures())
  return stand_in_server.Servable(folder)


def pytest_collection_modifyitems(items):
  """Drops tf.test.TestCase's own `test_session`, which only skips."""
  items[:] = [item for item in items if item.name != 'test_session']
