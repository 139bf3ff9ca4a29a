import numpy as np
import tensorflow as tf

from mask2cad_tf.data import decoder
from mask2cad_tf.data import record_files
from mask2cad_tf.data import schema
from mask2cad_tf.geometry import views
from tfrecords_tools import record_examples

# Of mask2cad_tf.cache_features, not of the tools that write records.
_CACHED_KEYS = (
  schema.FEATURES,
  schema.FEATURES_SHAPE,
  schema.FEATURES_LEVELS,
  schema.JITTERED_VIEW_FEATURES,
)
_IMAGE_KEYS = {
  value
  for name, value in vars(schema).items()
  if name.isupper() and isinstance(value, str) and value.startswith('image/')
} - {*schema.OPTIONAL_IMAGE_KEYS, *_CACHED_KEYS}


def _records(toy_data):
  return list(record_files.read(record_files.match(toy_data.photo_records)))


def test_real_photos_carry_every_key_of_the_schema(toy_data):
  for record in _records(toy_data):
    features = tf.train.Example.FromString(record).features.feature
    assert set(features) == _IMAGE_KEYS
    assert all(feature.WhichOneof('kind') for feature in features.values())


def test_decoded_photo_is_the_annotated_one(toy_data):
  # img/bed/0001.png of pix3d.json: 395 x 244, f = 35.27 / 32 * 395 px.
  decoded = [
    decoder.TfExampleDecoder().decode(tf.constant(record))
    for record in _records(toy_data)
  ]
  data = next(
    x for x in decoded if x['filename'].numpy() == b'img/bed/0001.png'
  )
  np.testing.assert_allclose(
    data['intrinsics'], [435.369, 435.369, 197.5, 122.0], atol=1e-3
  )
  np.testing.assert_allclose(
    data['groundtruth_boxes'],
    [[22 / 244, 4 / 395, 228 / 244, 362 / 395]],
    rtol=1e-6,
  )
  np.testing.assert_allclose(
    data['groundtruth_translations'],
    [[-0.000243470, 0.0906829731, 1.15264868]],
    rtol=1e-5,
  )
  np.testing.assert_allclose(data['groundtruth_depths'], [1.15264868])
  np.testing.assert_allclose(
    np.linalg.norm(data['groundtruth_rotations'], axis=-1), 1.0, rtol=1e-6
  )
  assert data['image'].shape == [244, 395, 3]
  assert data['groundtruth_cad_ids'].numpy() == b'bed/IKEA_MALM_2'
  assert data['groundtruth_cad_meshes'].numpy() == b'bed/IKEA_MALM_2/model.obj'
  mask = tf.io.decode_png(data['groundtruth_instance_masks_png'][0]).numpy()
  assert set(np.unique(mask)) == {0, 255}
  assert (mask > 0).sum() == float(data['groundtruth_area'][0])
  assert tf.io.decode_png(data['groundtruth_views_png'][0]).shape == [
    128,
    128,
    1,
  ]


def test_flags(toy_data):
  # pix3d.json: 0002 is truncated and occluded, 0010 slightly occluded.
  flags = {}
  for record in _records(toy_data):
    data = decoder.TfExampleDecoder().decode(tf.constant(record))
    flags[data['filename'].numpy()[-8:-4]] = tuple(
      bool(data['groundtruth_' + key][0])
      for key in ('truncated', 'occluded', 'slightly_occluded')
    )
  assert flags == {
    b'0001': (False, False, False),
    b'0002': (True, True, False),
    b'0010': (False, False, True),
  }


def test_record_without_objects_in_tf_data():
  image = views.encode_png(np.full((6, 8, 3), 9, np.uint8))
  record = record_examples.image_example(
    image, 'empty.png', 3, (5, 5, 4, 3), []
  ).SerializeToString()
  dataset = tf.data.Dataset.from_tensors(record).map(
    decoder.TfExampleDecoder().decode
  )
  data = next(iter(dataset))
  assert data['image'].shape == [6, 8, 3]
  assert data['groundtruth_boxes'].shape == [0, 4]
  assert data['groundtruth_rotations'].shape == [0, 4]
  assert data['groundtruth_translations'].shape == [0, 3]
  assert data['groundtruth_cad_ids'].shape == [0]
  assert data['source_id'] == b'3'


def _scanned(**changes):
  mask = np.ones((6, 8), bool)
  item = record_examples.ObjectRecord(
    label=1,
    label_name='bed',
    box=(0, 0, 6, 8),
    mask=mask,
    cad_id='bed/a',
    mesh='a.obj',
    rotation=np.eye(3),
    translation=np.array([0.0, 0.0, 2.0]),
    jittered_view=b'png',
    **changes,
  )
  return record_examples.image_example(
    views.encode_png(np.full((6, 8, 3), 9, np.uint8)),
    'a.png',
    3,
    (5, 5, 4, 3),
    [item, item],
    'scene0000_00' if changes else '',
    np.arange(16.0).reshape(4, 4) if changes else None,
  ).SerializeToString()


def test_what_scans_have_more():
  decode = decoder.TfExampleDecoder(with_scan=True).decode
  data = decode(
    tf.constant(
      _scanned(scale=(1.0, 2.0, 3.0), symmetry=4, amodal_mask=np.ones((6, 8)))
    )
  )
  assert data['groundtruth_cad_scales'].numpy().tolist() == [[1, 2, 3]] * 2
  assert data['groundtruth_symmetries'].numpy().tolist() == [4, 4]
  assert data['scene_id'].numpy().tolist() == [b'scene0000_00']
  np.testing.assert_array_equal(
    data['camera_to_world'], [np.arange(16.0).reshape(4, 4)]
  )
  data = decode(tf.constant(_scanned()))
  assert data['groundtruth_cad_scales'].shape == [0, 3]
  assert data['scene_id'].shape == [0]
  assert data['camera_to_world'].shape == [0, 4, 4]
  plain = decoder.TfExampleDecoder().decode(tf.constant(_scanned()))
  assert 'scene_id' not in plain
