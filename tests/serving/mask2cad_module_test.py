"""The inference path: geometry by hand on a fake network, then the real one."""

import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from official.vision.ops import preprocess_ops
from tensorflow.core.protobuf import saved_model_pb2

from mask2cad_tf.configs import mask2cad as mask2cad_config
from mask2cad_tf.geometry import rotations
from mask2cad_tf.retrieval import gallery as gallery_lib
from mask2cad_tf.serving import mask2cad_module
from tests.serving import last_cad

_ROTATION = np.array([0.8, 0.0, 0.6, 0.0], np.float32)


class _FakeNetwork:
  """Two detections of four slots, always; remembers how it was called."""

  def __init__(self):
    self.variables = [tf.Variable(1.0)]

  def __call__(
    self,
    images,
    image_shape,
    anchor_boxes,
    roi_boxes=None,
    roi_classes=None,
    training=None,
    min_score=0.0,
  ):
    self.min_score = min_score
    self.images, self.image_shape, self.anchors = (
      images,
      image_shape,
      anchor_boxes,
    )
    boxes = tf.constant(
      [[[10, 20, 30, 60], [0, 0, 90, 70], [0, 0, 0, 0], [0, 0, 0, 0]]],
      tf.float32,
    )
    classes = tf.constant([[1, 2, 0, 0]])
    scores = tf.constant([[0.9, 0.5, 0.0, 0.0]])
    if roi_boxes is not None:
      boxes, classes = roi_boxes, roi_classes
      scores = tf.cast(classes > 0, tf.float32)
    shape = tf.shape(classes)

    def fill(value):  # one a detection
      size = tf.concat([shape, tf.shape(value)], axis=0)
      return tf.broadcast_to(value, size)

    return {
      'num_detections': tf.reduce_sum(tf.cast(classes > 0, tf.int32), 1),
      'detection_boxes': boxes,
      'detection_classes': classes,
      'detection_scores': scores,
      'detection_outer_boxes': boxes + [-5.0, -10.0, 5.0, 10.0],
      'detection_masks': fill(tf.ones([8, 8])),
      'detection_embeddings': tf.one_hot(classes, 4),
      'detection_rotations': fill(_ROTATION),
      'detection_pose_bins': tf.zeros(shape, tf.int32),
      'detection_centers': boxes[..., 1::-1],
    }

  def embed_views(self, views):
    return tf.reduce_mean(views, axis=[1, 2])


def _gallery():
  cads = tuple(
    gallery_lib.Cad(f'{name}/{i}', name, '', '')
    for name in ('bed', 'sofa')
    for i in range(2)
  )
  embeddings = np.zeros((4, 1, 4), np.float32)
  embeddings[[0, 1], 0, 1] = 1.0, 0.5
  embeddings[1, 0, 0] = 0.5
  embeddings[[2, 3], 0, 2] = -1.0, 1.0
  return gallery_lib.Gallery(
    'G',
    ('bed', 'sofa'),
    'e',
    cads,
    embeddings,
    np.zeros((4, 1, 4), np.float32),
    np.ones((4, 1), bool),
    np.zeros((4, 1, 128), np.uint8),
  )


def _module(frame='camera', top_k=3, min_score=0.0, searcher=None):
  config = mask2cad_config.Mask2CADTask()
  config.model.input_size = [100, 128, 3]
  config.model.class_names = ['bed', 'sofa']
  config.model.pose.rotation_frame = frame
  return mask2cad_module.Mask2CADModule(
    _FakeNetwork(),
    config,
    _gallery(),
    top_k,
    min_score=min_score,
    searcher=searcher,
  )


def _photo(height=200, width=200):
  rng = np.random.default_rng(0)
  return rng.integers(0, 256, (height, width, 3), np.uint8)


def _infer(module, image, **arguments):
  outputs = module.infer(
    *module.preprocess(tf.constant(image[None])), **arguments
  )
  return {key: value.numpy()[0] for key, value in outputs.items()}


def test_preprocess_is_the_training_parsers():
  image = _photo(60, 200)
  images, info = _module().preprocess(tf.constant(image[None]))
  # 200 wide to 128: scale 0.64, 60 -> 38 rows; padded to multiples of 128.
  assert images.shape == [1, 128, 128, 3]
  np.testing.assert_allclose(
    info[0], [[60, 200], [100, 128], [38 / 60, 0.64], [0, 0]], rtol=1e-6
  )
  expected = tf.image.resize(
    preprocess_ops.normalize_image(image), [38, 128], antialias=True
  )
  np.testing.assert_allclose(images[0, :38], expected, atol=1e-5)
  assert not images[0, 38:].numpy().any()


def test_pixels_are_the_photos():
  # 200 x 200 into 100 x 128: the scale is 1/2 along both axes.
  outputs = _infer(_module(), _photo())
  np.testing.assert_allclose(
    outputs['detection_boxes'][:2], [[20, 40, 60, 120], [0, 0, 180, 140]]
  )
  np.testing.assert_allclose(
    outputs['detection_outer_boxes'][0], [10, 20, 70, 140]
  )
  np.testing.assert_allclose(outputs['detection_centers'][0], [40, 20])
  assert outputs['num_detections'] == 2


def test_boxes_are_clipped_outer_boxes_are_not():
  # 60 x 200 px: the second box ends 90 / (38 / 60) = 142 rows down.
  outputs = _infer(_module(), _photo(60, 200))
  np.testing.assert_allclose(
    outputs['detection_boxes'][1], [0, 0, 60, 70 / 0.64], rtol=1e-5
  )
  assert outputs['detection_outer_boxes'][1, 2] == pytest.approx(
    95 * 60 / 38, rel=1e-5
  )


def test_network_is_told_size_and_anchors():
  module = _module()
  module._call_network(*module.preprocess(tf.constant(_photo(60, 200)[None])))
  network = module._network.value
  np.testing.assert_allclose(network.image_shape, [[38, 128]])
  assert sorted(network.anchors) == ['3', '4', '5', '6', '7']
  assert network.anchors['3'].shape == [1, 16, 16, 36]  # 9 anchors a place


def test_cads_of_the_class_best_first():
  outputs = _infer(_module(), _photo())
  assert outputs['detection_cad_ids'].tolist() == [
    [b'bed/0', b'bed/1', b''],
    [b'sofa/1', b'sofa/0', b''],
    [b''] * 3,
    [b''] * 3,
  ]
  np.testing.assert_allclose(
    outputs['detection_cad_scores'][:2],
    [[1, 0.5**0.5, -1], [1, -1, -1]],
    atol=1e-6,
  )
  np.testing.assert_array_equal(outputs['detection_cads'][0], [0, 1, -1])


@pytest.mark.parametrize('intrinsics', [None, [300.0, 310.0, 90.0, 120.0]])
def test_rotations_end_in_the_camera_frame(intrinsics):
  arguments = (
    {} if intrinsics is None else {'intrinsics': tf.constant([intrinsics])}
  )
  plain = _infer(_module('camera'), _photo(), **arguments)
  np.testing.assert_allclose(
    plain['detection_rotations'][0], _ROTATION, atol=1e-6
  )
  turned = _infer(_module('allocentric'), _photo(), **arguments)
  expected = rotations.camera_from_allocentric(
    rotations.matrix_from_quaternion(_ROTATION),
    turned['detection_centers'][0],
    turned['intrinsics'],
  )
  np.testing.assert_allclose(
    rotations.matrix_from_quaternion(turned['detection_rotations'][0]),
    expected,
    atol=1e-5,
  )


def test_network_is_told_the_least_score():
  module = _module(min_score=0.7)
  _infer(module, _photo())
  assert module._network.value.min_score == 0.7


def test_default_camera_is_a_phones():
  # 200 x 200: the diagonal is 282.8 px; 27 / 43.267 of it is 176.5.
  outputs = _infer(_module(), _photo())
  np.testing.assert_allclose(
    outputs['intrinsics'], [176.5, 176.5, 100, 100], rtol=1e-3
  )


def test_given_boxes_skip_detection():
  outputs = _infer(
    _module(),
    _photo(),
    boxes=tf.constant([[[8.0, 16.0, 80.0, 160.0], [0.0, 0.0, 0.0, 0.0]]]),
    classes=tf.constant([[2, 0]]),
  )
  np.testing.assert_allclose(
    outputs['detection_boxes'][0], [8, 16, 80, 160], rtol=1e-6
  )
  assert outputs['num_detections'] == 1
  assert outputs['detection_cad_ids'][0, 0] == b'sofa/1'


def test_class_of_a_box_is_the_overlapping_detections():
  # Detections in the photo: class 1 at (20, 40, 60, 120), class 2 at
  # (0, 0, 180, 140). The first box is the bed's, IoU 1. The second overlaps
  # the sofa by 100 / 140 and the bed by 40 * 60 / (18000 + 3200 - 2400), too
  # little. The third meets neither.
  outputs = _infer(
    _module(),
    _photo(),
    boxes=tf.constant(
      [
        [
          [20.0, 40.0, 60.0, 120.0],
          [0.0, 0.0, 180.0, 100.0],
          [190.0, 190.0, 199.0, 199.0],
        ]
      ]
    ),
  )
  np.testing.assert_array_equal(outputs['detection_classes'], [1, 2, 0])


def test_eager_and_compiled_agree():
  module, image = _module('allocentric'), _photo(90, 160)
  camera = np.array([200.0, 200.0, 80.0, 45.0])
  eager = _infer(module, image, intrinsics=tf.constant([camera], tf.float32))
  compiled = module.predict(image, camera)
  assert set(eager) == set(compiled)
  for key, value in eager.items():
    if value.dtype == object:
      assert value.tolist() == compiled[key].numpy()[0].tolist()
    else:
      np.testing.assert_allclose(compiled[key][0], value, atol=1e-5)


def test_the_gallery_can_be_replaced_by_a_larger_one():
  module, image = _module(), _photo()
  camera = np.array([200.0, 200.0, 100.0, 100.0])
  module.predict(image, camera)  # compiled for four CADs
  embeddings = np.zeros((5, 2, 4), np.float32)
  embeddings[:, :, 1] = np.array([1, 2, 3, 4, -5])[:, None]
  embeddings[:4, :, 0] = 1.0
  module.gallery.assign(
    embeddings, np.ones((5, 2), bool), [1, 1, 1, 1, 2], list('abcde')
  )
  outputs = module.predict(image, camera)
  assert outputs['detection_cad_ids'].numpy()[0, 0].tolist() == [
    b'd',
    b'c',
    b'b',
  ]


def test_a_searcher_stands_in_for_the_search_in_the_graph():
  module = _module(searcher=last_cad.LastCad(3))
  outputs = _infer(module, _photo())
  assert outputs['detection_cads'][0].tolist() == [3, -1, -1]
  assert outputs['detection_cad_ids'][0].tolist() == [
    _gallery().cad_ids[3].encode(),
    b'',
    b'',
  ]
  np.testing.assert_array_equal(
    outputs['detection_cad_scores'][0], [0.5, -1.0, -1.0]
  )
  assert not module.gallery.views.shape.is_fully_defined()
  assert tf.size(module.gallery.views) == 0  # the searcher has its own
  with pytest.raises(ValueError, match='A SavedModel searches exactly'):
    module.signatures()


_RELOAD = """
import sys
import numpy as np
import tensorflow as tf
folder, *paths = sys.argv[1:]
module = tf.saved_model.load(folder)
encoded = tf.constant([tf.io.read_file(p).numpy() for p in paths])
cameras = tf.constant([[500., 500., 200., 100.]] * len(paths))
results = {}
for batch in (1, len(paths)):
  plain = module.signatures['serving_default'](image_bytes=encoded[:batch])
  given = module.signatures['serve_with_intrinsics'](
      image_bytes=encoded[:batch], intrinsics=cameras[:batch])
  for name, outputs in (('plain', plain), ('given', given)):
    for key, value in outputs.items():
      results[f'{batch}/{name}/{key}'] = value.numpy()
views = tf.ones([3, 128, 128, 1]) * 0.5
results['views'] = module.signatures['embed_views'](views=views)[
    'embeddings'].numpy()
np.savez(folder + '.npz', **{
    k: v.astype(bytes) if v.dtype == object else v
    for k, v in results.items()})
"""


@pytest.fixture(scope='module')
def reloaded(tiny_world, tmp_path_factory):
  """The real tiny model: exported, run by a fresh process, and the original."""
  folder = str(tmp_path_factory.mktemp('export') / 'saved_model')
  module = tiny_world.module
  tf.saved_model.save(module, folder, signatures=module.signatures())
  subprocess.run(
    [sys.executable, '-c', _RELOAD, folder, *tiny_world.photos], check=True
  )
  with np.load(folder + '.npz') as results:
    return module, dict(results), folder


def _unit(quaternions):
  """In float64: acos turns float32's last digit of a norm into 0.1 degrees."""
  quaternions = quaternions.astype(np.float64)
  return quaternions / np.linalg.norm(quaternions, axis=-1, keepdims=True)


@pytest.mark.parametrize('batch', [1, 3])
@pytest.mark.parametrize('signature', ['plain', 'given'])
def test_a_fresh_process_says_the_same(reloaded, tiny_world, batch, signature):
  module, results, _ = reloaded
  found = {
    key.split('/')[2]: value
    for key, value in results.items()
    if key.startswith(f'{batch}/{signature}/')
  }
  for index, path in enumerate(tiny_world.photos[:batch]):
    image = tf.io.decode_png(tf.io.read_file(path), channels=3)
    camera = (
      np.array([500.0, 500.0, 200.0, 100.0])
      if signature == 'given'
      else found['intrinsics'][index]
    )
    here = {
      key: value.numpy()[0]
      for key, value in module.predict(image, camera).items()
    }
    count = here['num_detections']
    assert count > 0
    assert found['num_detections'][index] == count
    np.testing.assert_allclose(
      found['detection_boxes'][index], here['detection_boxes'], atol=0.5
    )
    np.testing.assert_array_equal(
      found['detection_cad_ids'][index], here['detection_cad_ids']
    )
    angles = rotations.geodesic_angle(
      _unit(found['detection_rotations'][index][:count]),
      _unit(here['detection_rotations'][:count]),
    )
    assert np.degrees(angles).max() < 0.1


def test_views_are_embedded_by_the_saved_model(reloaded, tiny_world):
  _, results, _ = reloaded
  np.testing.assert_allclose(
    results['views'],
    tiny_world.model.embed_views(0.5 * tf.ones([3, 128, 128, 1])),
    rtol=1e-3,
    atol=1e-4,
  )


def test_saved_model_has_no_python_inside(reloaded):
  _, _, folder = reloaded
  proto = saved_model_pb2.SavedModel()
  with open(folder + '/saved_model.pb', 'rb') as file:
    proto.ParseFromString(file.read())
  meta = proto.meta_graphs[0]
  nodes = [
    *meta.graph_def.node,
    *(
      node
      for function in meta.graph_def.library.function
      for node in function.node_def
    ),
  ]
  assert not {node.op for node in nodes} & {
    'PyFunc',
    'PyFuncStateless',
    'EagerPyFunc',
  }
  signature = meta.signature_def['serving_default']
  (image_bytes,) = signature.inputs.values()
  assert image_bytes.dtype == tf.string.as_datatype_enum
  assert [d.size for d in image_bytes.tensor_shape.dim] == [-1]
  assert all(
    output.tensor_shape.dim[0].size == -1
    for output in signature.outputs.values()
  )
