"""COCO's boxes and masks as image records without CADs."""

import io
import json

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from pycocotools import mask as mask_lib

from mask2cad_tf.data import decoder as decoder_lib
from mask2cad_tf.data import record_files
from tests import command_runner
from tests.tfrecords_tools import coco_photos
from tfrecords_tools import coco
from tfrecords_tools import record_writer

_SOFA, _CHAIR = 6, 3  # labels of Pix3D's classes


def _convert(folder, changed=None, **options):
  return coco.convert(
    str(folder / 'img'),
    coco_photos.write(folder, changed),
    str(folder / 'out'),
    **options,
  )


def _decoded(folder):
  """What the decoder of training and evaluation reads, in order."""
  decode = decoder_lib.TfExampleDecoder().decode
  return [
    {key: value.numpy() for key, value in decode(tf.constant(record)).items()}
    for record in record_files.read(record_files.match(f'{folder}/out/images*'))
  ]


def _mask(png):
  return np.asarray(Image.open(io.BytesIO(png))) > 127


def test_boxes_masks_and_labels(tmp_path):
  assert _convert(tmp_path) == []
  a, b = _decoded(tmp_path)
  assert (a['filename'], a['source_id']) == (b'a.jpg', b'3')
  assert (b['filename'], b['source_id']) == (b'b.png', b'7')
  np.testing.assert_array_equal(a['groundtruth_classes'], [_SOFA, _CHAIR])
  np.testing.assert_allclose(
    a['groundtruth_boxes'] * [10, 12, 10, 12],
    [[3, 2, 7, 10], [1, 1, 3, 4]],
    rtol=1e-6,
  )
  expected = np.zeros([10, 12], bool)
  expected[3:7, 2:4] = expected[3:7, 8:10] = True  # one sofa, two polygons
  sofa, _ = a['groundtruth_instance_masks_png']
  np.testing.assert_array_equal(_mask(sofa), expected)
  expected = np.zeros([8, 5], bool)
  expected[2:7, 1] = True  # column-major: 8 + 2 zeros, 5 ones
  np.testing.assert_array_equal(
    _mask(b['groundtruth_instance_masks_png'][0]), expected
  )


def test_crowds_are_marked(tmp_path):
  _convert(tmp_path)
  a, b = _decoded(tmp_path)
  assert not a['groundtruth_is_crowd'].any()
  assert b['groundtruth_is_crowd'].all()


def test_no_cad_no_pose_no_view(tmp_path):
  _convert(tmp_path)
  for photo in _decoded(tmp_path):
    for i in range(len(photo['groundtruth_classes'])):
      assert photo['groundtruth_cad_ids'][i] == b''
      assert photo['groundtruth_cad_meshes'][i] == b''
      np.testing.assert_array_equal(
        photo['groundtruth_rotations'][i], [1, 0, 0, 0]
      )
      np.testing.assert_array_equal(
        photo['groundtruth_translations'][i], [0, 0, 1]
      )
      assert photo['groundtruth_depths'][i] == 1.0
      view = Image.open(io.BytesIO(photo['groundtruth_views_png'][i]))
      assert (view.size, view.mode) == ((128, 128), 'L')
      assert view.getextrema() == (0, 0)


def test_a_phones_camera_is_assumed(tmp_path):
  _convert(tmp_path)
  a, _ = _decoded(tmp_path)
  # 27 mm on a diagonal of 43.267 mm; the photo's is sqrt(12^2 + 10^2) pixels.
  focal = 27.0 / 43.267 * np.sqrt(244.0)
  np.testing.assert_allclose(
    a['intrinsics'], [focal, focal, 6.0, 5.0], rtol=1e-6
  )


def test_compressed_rle(tmp_path):
  mask = np.zeros([8, 5], np.uint8, order='F')
  mask[3:6, 2:4] = 1
  rle = mask_lib.encode(mask)
  changed = coco_photos.content()
  changed['annotations'][3]['segmentation'] = {
    'size': [8, 5],
    'counts': rle['counts'].decode(),
  }
  _convert(tmp_path, changed)
  _, b = _decoded(tmp_path)
  np.testing.assert_array_equal(
    _mask(b['groundtruth_instance_masks_png'][0]), mask > 0
  )


def test_manifest(tmp_path):
  _convert(tmp_path, num_shards=2)
  manifest = json.loads((tmp_path / 'out' / 'manifest.json').read_text())
  section = manifest['records']['images']
  assert section['classes'] == [
    {'label': _CHAIR, 'name': 'chair', 'examples': 2, 'objects': 2},
    {'label': _SOFA, 'name': 'sofa', 'examples': 1, 'objects': 1},
  ]
  assert section['counts'] == {'crowds': 1}
  assert section['settings']['categories_left_out'] == {'dog': 2}
  assert section['settings']['class_map']['couch'] == 'sofa'
  assert record_writer.verify(str(tmp_path / 'out' / 'images*')) == 2


def test_who_converts_changes_no_byte(tmp_path):
  _convert(tmp_path / 'here')
  _convert(tmp_path / 'there', num_processes=2)
  for path in (tmp_path / 'here' / 'out').iterdir():
    there = tmp_path / 'there' / 'out' / path.name
    assert path.read_bytes() == there.read_bytes()


def _unknown_image(content):
  content['annotations'][0]['image_id'] = 8


def _unknown_category(content):
  content['annotations'][0]['category_id'] = 8


def _same_id_twice(content):
  content['images'][0]['id'] = 3


def _no_boxes(content):
  del content['annotations'][0]['bbox']


def _no_categories(content):
  del content['categories']


@pytest.mark.parametrize(
  'breakage, message',
  [
    (_unknown_image, 'instances.json.*annotation 1 has image_id 8'),
    (_unknown_category, 'instances.json.*annotation 1 has category_id 8'),
    (_same_id_twice, 'instances.json.*two images have the same id'),
    (_no_boxes, "instances.json.*no 'bbox'"),
    (_no_categories, "instances.json.*no 'categories'"),
  ],
)
def test_contradictory_files_are_refused(tmp_path, breakage, message):
  changed = coco_photos.content()
  breakage(changed)
  with pytest.raises(ValueError, match=message):
    _convert(tmp_path, changed)
  assert not (tmp_path / 'out').exists()


def test_files_of_another_kind(tmp_path):
  path = tmp_path / 'a.json'
  for text, message in (('[]', 'a JSON list'), ('{', 'not JSON')):
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
      coco.read(str(path), {})
  with pytest.raises(FileNotFoundError, match='no annotation file'):
    coco.read(str(tmp_path / 'none.json'), {})


def test_class_maps(tmp_path):
  path = coco_photos.write(tmp_path)
  photos, left_out = coco.read(path, {})
  assert left_out == {'couch': 1, 'dog': 2}
  assert [len(photo.objects) for photo in photos] == [1, 1]
  photos, left_out = coco.read(path, {'dog': 'misc', 'couch': 'sofa'})
  assert left_out == {}
  assert [photo.image for photo in photos] == ['a.jpg', 'b.png', 'c.jpg']
  with pytest.raises(ValueError, match="'dog' to 'beds'.*mean 'bed'"):
    coco.read(path, {'dog': 'beds'})


def test_no_object_of_ours(tmp_path):
  with pytest.raises(ValueError, match='no object of bed.*couch, dog, chair'):
    _convert(tmp_path, class_names=('bed',), class_map={})


def _mask_of(segmentation):
  def change(content):
    content['annotations'][0]['segmentation'] = segmentation

  return change


def _far_box(content):
  content['annotations'][0]['bbox'] = [2, 3, 40, 4]


def _other_size(content):
  content['images'][1]['width'] = 13


def _no_photo(content):
  content['images'][1]['file_name'] = 'no.jpg'


@pytest.mark.parametrize(
  'breakage, message',
  [
    (_mask_of([]), 'a.jpg: a segmentation is neither'),
    (_mask_of('mask.png'), 'a.jpg: a segmentation is neither'),
    (_mask_of([[2, 3, 4, 3]]), 'a.jpg: a segmentation is neither'),
    (
      _mask_of({'size': [12, 10], 'counts': [120]}),
      r'a.jpg: a mask has the size \[12, 10\]; expected \[10, 12\]',
    ),
    (_mask_of([[2, 3, 2, 3, 2, 3]]), 'a.jpg: the mask of sofa.* 0 pixels'),
    (_far_box, 'a.jpg: the box'),
    (_other_size, r'a.jpg: the mask of sofa.*\(10, 13\)'),
    (_no_photo, 'no.jpg: '),
  ],
)
def test_bad_photos_are_named_or_left_out(tmp_path, breakage, message):
  changed = coco_photos.content()
  breakage(changed)
  with pytest.raises(ValueError, match=message):
    _convert(tmp_path, changed)
  [reason] = _convert(tmp_path, changed, skip_broken=True)
  assert message.split(':')[0].replace('\\', '') in reason
  assert [photo['filename'] for photo in _decoded(tmp_path)] == [b'b.png']


def test_command_line(tmp_path):
  arguments = (
    f'--photos_dir={tmp_path}/img',
    f'--annotations={coco_photos.write(tmp_path)}',
    f'--output_dir={tmp_path}/out',
    '--num_processes=1',
  )
  result = command_runner.run(coco, *arguments)
  assert result.status == 0, result
  assert '2 photos; chair 2, sofa 1; crowds 1' in result.stdout
  assert 'left out dog: 2 objects' in result.stdout
  result = command_runner.run(
    coco, *arguments, '--class_map=dog:bed, couch:table'
  )
  assert '3 photos; bed 2, chair 2, table 1' in result.stdout
  line = command_runner.run(coco, *arguments, '--class_map=couch').only_line
  assert "'couch' is no THEIRS:OURS" in line
  assert 'annotations' in command_runner.run(coco).only_line
