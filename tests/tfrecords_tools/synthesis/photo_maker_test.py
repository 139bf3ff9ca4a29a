import dataclasses
import io
import pickle

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from mask2cad_tf.data import schema
from mask2cad_tf.geometry.furniture import catalogue
from tfrecords_tools.synthesis import cycles_renderer
from tfrecords_tools.synthesis import options as options_lib
from tfrecords_tools.synthesis import photo_maker


@pytest.fixture(name='options', scope='module')
def _options(tmp_path_factory):
  library = str(tmp_path_factory.mktemp('library'))
  catalogue.write_library(library, class_names=['chair', 'sofa'])
  return options_lib.Options(library=library, image_size=96, min_pixels=20)


def _features(made):
  return tf.train.Example.FromString(made.example).features.feature


def test_index_and_options_determine_the_photo(options):
  make = photo_maker.PhotoMaker(options)
  first = make(3)
  again = pickle.loads(pickle.dumps(make))
  assert again(5) != first
  assert again(3) == first
  reseeded = dataclasses.replace(options, seed=1)
  assert photo_maker.PhotoMaker(reseeded)(3) != first


def test_records_are_complete(options):
  feature = _features(photo_maker.PhotoMaker(options)(3))
  name = feature[schema.IMAGE_FILENAME].bytes_list.value[0].decode()
  mode, file = name.split('/')
  assert mode in options.modes and file == '000003.jpg'
  assert feature[schema.IMAGE_SOURCE_ID].bytes_list.value[0] == b'4'
  height = feature[schema.IMAGE_HEIGHT].int64_list.value[0]
  width = feature[schema.IMAGE_WIDTH].int64_list.value[0]
  assert max(height, width) == 96
  encoded = feature[schema.IMAGE_ENCODED].bytes_list.value[0]
  photo = Image.open(io.BytesIO(encoded))
  assert (photo.format, photo.size) == ('JPEG', (width, height))
  assert np.asarray(photo).std() > 5  # a picture, not a plain
  count = len(feature[schema.CLASS_LABEL].int64_list.value)
  assert 1 <= count <= options.max_objects
  for key in (schema.MASK, schema.AMODAL_MASK, schema.JITTERED_VIEW):
    assert len(feature[key].bytes_list.value) == count
  assert len(feature[schema.OCCLUDED_SHARE].float_list.value) == count


def test_empty_scenes_are_drawn_again(options, monkeypatch):
  make = photo_maker.PhotoMaker(options)
  whole, calls = make(1), []
  label = photo_maker.ground_truth.label

  def nothing_at_first(*arguments):
    calls.append(arguments)
    objects, dropped = label(*arguments)
    return (objects if len(calls) > 2 else []), dropped

  monkeypatch.setattr(photo_maker.ground_truth, 'label', nothing_at_first)
  redrawn = make(1)
  assert redrawn.counts['scenes_redrawn'] == 2
  assert redrawn.example != whole.example
  assert {'dropped_hidden', 'dropped_small', 'dropped_cut_off'} <= set(
    whole.counts
  )


def test_never_an_object_is_an_error(options, monkeypatch):
  monkeypatch.setattr(photo_maker, '_MAX_SCENES', 2)
  hopeless = dataclasses.replace(options, min_pixels=10**6)
  with pytest.raises(ValueError, match='None of 2 scenes.*--min_visible'):
    photo_maker.PhotoMaker(hopeless)(0)


class _FakeCycles:
  """Draws grey; notes what happens to it."""

  log = []

  def __init__(self, blender_python, samples, environments):
    self.log.append((blender_python, samples, environments))

  def render(self, scene):
    self.log.append('render')
    return np.full((scene.camera.height, scene.camera.width, 3), 0.2, 'float32')

  def close(self):
    self.log.append('close')


def test_cycles_is_started_once_and_closed(options, monkeypatch):
  monkeypatch.setattr(cycles_renderer, 'CyclesRenderer', _FakeCycles)
  fast = photo_maker.PhotoMaker(options)(2)
  make = photo_maker.PhotoMaker(
    dataclasses.replace(
      options,
      renderer='cycles',
      samples=3,
      blender_python='py',
      environments='sky',
    )
  )
  made = make(2)
  make(3)
  make.close()
  make.close()
  assert _FakeCycles.log == [('py', 3, 'sky'), 'render', 'render', 'close']
  for key in (schema.MASK, schema.AMODAL_MASK, schema.ROTATION):
    assert _features(made)[key] == _features(fast)[key]


def test_unknown_renderer(options):
  with pytest.raises(ValueError, match="'povray' is not known; use one"):
    photo_maker.PhotoMaker(dataclasses.replace(options, renderer='povray'))
