"""The baseline finds the CAD whose rendering is the photo."""

import types

import numpy as np
import pytest
import tensorflow as tf

from mask2cad_tf.configs import mask2cad as mask2cad_config
from mask2cad_tf.geometry import renderer
from mask2cad_tf.geometry import rotations
from mask2cad_tf.geometry import views
from mask2cad_tf.ops import cameras
from mask2cad_tf.retrieval import gallery as gallery_lib
from mask2cad_tf.retrieval import view_silhouettes
from mask2cad_tf.serving import training_free
from tests import toy

_NAMES = ('chair/high', 'chair/low', 'chair/stool', 'sofa/corner')
_VIEWS = 4
_SIDE, _TOP, _LEFT = 128, 30, 90  # where the rendering stands in the photo
_INTRINSICS = np.array([200.0, 200.0, 120.0, 100.0], np.float32)
_OWN = np.array([0.6, 0.8, 0.0, 0.0], np.float32)  # the network's rotation


class _Encoder:
  """Mean colour of 8 x 8 tiles: a network of no layers."""

  def fine_features(self, crops):
    return tf.nn.avg_pool2d(crops, 8, 8, 'VALID')


_MODEL = types.SimpleNamespace(view_encoder=_Encoder())


@pytest.fixture(scope='module', name='gallery')
def _gallery(tmp_path_factory):
  folder = tmp_path_factory.mktemp('gallery')
  furniture = toy.box_furniture()
  for name in _NAMES:
    path = folder / f'{name}.ply'
    path.parent.mkdir(exist_ok=True)
    furniture[name].export(path)
  turns = rotations.random_rotations(
    len(_NAMES) * _VIEWS, np.random.default_rng(0)
  ).reshape(len(_NAMES), _VIEWS, 4)
  return gallery_lib.Gallery(
    path=str(folder),
    class_names=('bed', 'chair', 'sofa'),
    encoder='',
    cads=tuple(
      gallery_lib.Cad(name, name.split('/')[0], f'{name}.ply', '')
      for name in _NAMES
    ),
    embeddings=np.zeros((len(_NAMES), _VIEWS, 2), np.float32),
    rotations=turns.astype(np.float32),
    valid=np.ones((len(_NAMES), _VIEWS), bool),
    silhouettes=np.zeros((len(_NAMES), _VIEWS, 128), np.uint8),
  )


def _photo(gallery, row, view, seed=0):
  """A CAD's view on a noisy ground, and its mask."""
  rng = np.random.default_rng(seed)
  image = rng.integers(0, 256, (200, 240, 3), np.uint8)
  mesh = toy.box_furniture()[_NAMES[row]]
  rendering = views.render_view(
    renderer.Renderer(mesh),
    rotations.matrix_from_quaternion(gallery.rotations[row, view]),
  )
  mask = np.zeros(image.shape[:2], bool)
  window = np.s_[_TOP : _TOP + _SIDE, _LEFT : _LEFT + _SIDE]
  mask[window] = rendering > 0
  image[window] = np.where(
    rendering[..., None] > 0, rendering[..., None], image[window]
  )
  return image, mask


class _Module:
  """An inference path that finds the mask, and a row of padding."""

  def __init__(self, mask, classes=(2,)):
    y, x = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    box = [y[0], x[0], y[-1] + 1, x[-1] + 1]
    count = len(classes)
    rows = count + 1
    # The mask's probabilities in an outer box that is the rendering's frame.
    frame = [_TOP, _LEFT, _TOP + _SIDE, _LEFT + _SIDE]
    window = mask[_TOP : _TOP + _SIDE, _LEFT : _LEFT + _SIDE] * 1.0
    self.outputs = {
      'num_detections': tf.constant([count]),
      'detection_boxes': tf.constant([[box] * rows], tf.float32),
      'detection_outer_boxes': tf.constant([[frame] * rows], tf.float32),
      'detection_masks': tf.constant([[window] * rows], tf.float32),
      'detection_classes': tf.constant([[*classes, 0]]),
      'detection_scores': tf.constant([[0.9] * count + [0.0]]),
      'detection_centers': tf.constant([[[40.0, 30.0]] * rows]),
      'detection_rotations': tf.constant([[_OWN] * rows]),
      'detection_cad_ids': tf.constant([[[b'bed/none']] * rows]),
      'detection_cad_scores': tf.constant([[[0.1]] * rows]),
      'intrinsics': tf.constant([_INTRINSICS]),
    }

  def predict(self, image, intrinsics):
    return self.outputs

  def predict_boxes(self, image, intrinsics, boxes, classes=None):
    self.given = boxes, classes
    return self.outputs


def _free(gallery, module, frame='camera', top_k=2, **retrieval):
  config = mask2cad_config.Mask2CAD(
    pose=mask2cad_config.Pose(rotation_frame=frame),
    retrieval=mask2cad_config.Retrieval(**retrieval),
  )
  return training_free.TrainingFreeModule(
    module, gallery, _MODEL, config, top_k
  )


def _angle(first, second):
  return 2.0 * np.degrees(np.arccos(min(abs(np.dot(first, second)), 1.0)))


@pytest.mark.parametrize('row, view', [(0, 1), (1, 0), (2, 3), (3, 2)])
def test_the_photo_is_a_rendering(gallery, row, view):
  image, mask = _photo(gallery, row, view)
  label = 3 if row == 3 else 2
  module = _Module(mask, (label,))
  outputs = _free(gallery, module).predict(image, _INTRINSICS)
  ids = outputs['detection_cad_ids'].numpy()[0]
  scores = outputs['detection_cad_scores'].numpy()[0]
  assert ids.shape == scores.shape == (2, 2)
  assert ids[0, 0].decode() == _NAMES[row]
  assert scores[0, 0] > 0.95  # all but the resampling
  assert scores[0, 0] > scores[0, 1]
  np.testing.assert_allclose(
    outputs['detection_rotations'][0, 0], gallery.rotations[row, view]
  )
  if row == 3:  # the only sofa
    assert (ids[0, 1], scores[0, 1]) == (b'', -1.0)
  # Padding, and all else, stay.
  assert (ids[1] == b'').all()
  np.testing.assert_array_equal(outputs['detection_rotations'][0, 1], _OWN)
  for key in ('detection_boxes', 'detection_masks', 'detection_scores'):
    assert outputs[key] is module.outputs[key]


def test_what_is_outside_the_mask_does_not_matter(gallery):
  found = []
  for seed in (0, 1):
    image, mask = _photo(gallery, 0, 1, seed)
    outputs = _free(gallery, _Module(mask)).predict(image, _INTRINSICS)
    found.append(outputs['detection_cad_scores'].numpy())
  np.testing.assert_allclose(found[0], found[1], atol=1e-6)


def test_silhouettes_and_more_views_count_as_for_the_embedding(gallery):
  """The view's own silhouette: both parts agree fully, the CAD is first."""
  image, mask = _photo(gallery, 0, 1)
  rendering = mask[_TOP : _TOP + _SIDE, _LEFT : _LEFT + _SIDE]
  silhouettes = np.zeros((len(_NAMES), _VIEWS, 128), np.uint8)
  silhouettes[0, 1] = view_silhouettes.pack(1.0 * rendering[np.newaxis])[0]
  shown = gallery_lib.Gallery(
    **{**_fields(gallery), 'silhouettes': silhouettes}
  )
  scores = []
  for count in (1, 2):
    module = _free(shown, _Module(mask), num_views=count, silhouette_weight=0.4)
    outputs = module.predict(image, _INTRINSICS)
    assert outputs['detection_cad_ids'][0, 0, 0] == _NAMES[0].encode()
    np.testing.assert_allclose(
      outputs['detection_rotations'][0, 0], gallery.rotations[0, 1]
    )
    scores.append(float(outputs['detection_cad_scores'][0, 0, 0]))
  assert 0.95 < scores[0] <= 1.0
  assert scores[1] < 0.8  # the other views agree less


def test_views_that_repeat_another_do_not_count(gallery):
  image, mask = _photo(gallery, 0, 1)
  valid = gallery.valid.copy()
  valid[0, 1] = False
  blind = gallery_lib.Gallery(**{**_fields(gallery), 'valid': valid})
  outputs = _free(blind, _Module(mask)).predict(image, _INTRINSICS)
  rotation = outputs['detection_rotations'][0, 0].numpy()
  assert _angle(rotation, gallery.rotations[0, 1]) > 1.0


def _fields(gallery):
  names = gallery_lib.Gallery.__dataclass_fields__
  return {name: getattr(gallery, name) for name in names}


def test_allocentric_views_at_the_objects_place(gallery):
  # A chair, and a bed, of which the gallery has none: its rotation is in the
  # camera's frame already.
  image, mask = _photo(gallery, 2, 3)
  module = _Module(mask, (2, 1))
  outputs = _free(gallery, module, 'allocentric').predict(image, _INTRINSICS)
  expected = cameras.camera_from_allocentric(
    tf.constant(gallery.rotations[2, 3]),
    tf.constant([40.0, 30.0]),
    tf.constant(_INTRINSICS),
  )
  found = outputs['detection_rotations'].numpy()[0]
  assert _angle(found[0], expected.numpy()) < 0.1
  assert _angle(found[0], gallery.rotations[2, 3]) > 5.0
  np.testing.assert_array_equal(found[1], _OWN)
  assert outputs['detection_cad_ids'].numpy()[0, 1].tolist() == [b'', b'']


def test_boxes_are_handed_on(gallery):
  image, mask = _photo(gallery, 1, 0)
  boxes, classes = np.ones((1, 4)), np.array([2])
  module = _Module(mask)
  outputs = _free(gallery, module).predict_boxes(
    image, _INTRINSICS, boxes, classes
  )
  assert module.given == (boxes, classes)
  assert outputs['detection_cad_ids'].numpy()[0, 0, 0] == b'chair/low'


def test_an_empty_mask_takes_the_box(gallery):
  image, mask = _photo(gallery, 1, 0)
  module = _Module(mask)
  module.outputs['detection_masks'] *= 0.0
  outputs = _free(gallery, module).predict(image, _INTRINSICS)
  assert np.isfinite(outputs['detection_cad_scores']).all()
  assert outputs['detection_cad_ids'].numpy()[0, 0, 0].startswith(b'chair/')


def test_a_model_without_frozen_stem_is_refused(gallery):
  model = types.SimpleNamespace(view_encoder=object())
  with pytest.raises(ValueError, match='efficientnet_lite'):
    training_free.TrainingFreeModule(
      None, gallery, model, mask2cad_config.Mask2CAD(), 2
    )
