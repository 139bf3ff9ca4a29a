import json
import os
import shutil

import numpy as np
import pytest
import tensorflow as tf

from mask2cad_tf.data import record_files
from mask2cad_tf.data import schema
from tests import command_runner
from tfrecords_tools import pix3d
from tfrecords_tools import pix3d_annotations
from tfrecords_tools import record_writer

_FLAGS_OF_PIX3D = {schema.OCCLUDED, schema.SLIGHTLY_OCCLUDED, schema.TRUNCATED}


@pytest.fixture(name='folder')
def _folder(toy_data, tmp_path):
  """A copy of the three-photo Pix3D folder that a test may break."""
  shutil.copytree(toy_data.pix3d_dir, tmp_path / 'pix3d')
  return tmp_path / 'pix3d'


def _entries(folder):
  return json.loads((folder / 'pix3d.json').read_text())


def _write_entries(folder, entries):
  (folder / 'pix3d.json').write_text(json.dumps(entries))


def _convert(folder, output, annotations=None, **options):
  return pix3d.convert(
    str(folder),
    str(annotations or folder / 'pix3d.json'),
    str(output),
    **options,
  )


def _examples(output):
  """Feature dicts by file name, and the raw records in order."""
  records = list(record_files.read(record_files.match(f'{output}/images*')))
  examples = [tf.train.Example.FromString(r).features.feature for r in records]
  return {
    x[schema.IMAGE_FILENAME].bytes_list.value[0].decode(): x for x in examples
  }, records


def _split(entries):
  """The same photos in the schema of Mesh R-CNN's splits, other order."""
  images, annotations = [], []
  for number, entry in enumerate(reversed(entries), start=50):
    width, height = entry['img_size']
    x0, y0, x1, y1 = entry['bbox']
    images.append(
      {
        'id': number,
        'file_name': entry['img'],
        'width': width,
        'height': height,
      }
    )
    annotations.append(
      {
        'id': number,
        'image_id': number,
        'category_id': 1,
        'iscrowd': 0,
        'bbox': [x0, y0, x1 - x0, y1 - y0],
        'segmentation': entry['mask'],
        'model': entry['model'],
        'rot_mat': entry['rot_mat'],
        'trans_mat': entry['trans_mat'],
        'K': [entry['focal_length'] / 32 * width, width / 2, height / 2],
      }
    )
  return {
    'images': images,
    'annotations': annotations,
    'categories': [{'id': 1, 'name': 'bed'}],
  }


def test_both_annotation_formats_give_the_same_examples(folder, tmp_path):
  (folder / 'split.json').write_text(json.dumps(_split(_entries(folder))))
  _convert(folder, tmp_path / 'a')
  _convert(folder, tmp_path / 'b', folder / 'split.json')
  ours, _ = _examples(tmp_path / 'a')
  theirs, _ = _examples(tmp_path / 'b')
  assert (
    set(ours)
    == set(theirs)
    == {'img/bed/0001.png', 'img/bed/0002.png', 'img/bed/0010.png'}
  )
  for name in ours:
    for key in set(ours[name]) - _FLAGS_OF_PIX3D:  # splits do not tell these
      if ours[name][key].HasField('float_list'):
        np.testing.assert_allclose(
          ours[name][key].float_list.value,
          theirs[name][key].float_list.value,
          rtol=1e-6,
        )
      else:
        assert ours[name][key] == theirs[name][key], (name, key)


def test_same_seed_same_bytes_other_seed_other_jitter(folder, tmp_path):
  runs = []
  for number, seed in enumerate((4, 4, 5)):
    _convert(folder, tmp_path / str(number), seed=seed, num_shards=2)
    runs.append(_examples(tmp_path / str(number)))
  assert runs[0][1] == runs[1][1]
  photo, other = (runs[i][0]['img/bed/0001.png'] for i in (0, 2))
  assert photo[schema.JITTERED_VIEW] != other[schema.JITTERED_VIEW]
  assert photo[schema.IMAGE_ENCODED] == other[schema.IMAGE_ENCODED]


def test_manifest_and_verification(folder, tmp_path):
  _convert(folder, tmp_path / 'out', num_shards=2)
  manifest = json.loads((tmp_path / 'out' / 'manifest.json').read_text())
  section = manifest['records']['images']
  assert section['num_examples'] == 3
  assert section['classes'] == [
    {'label': 1, 'name': 'bed', 'examples': 3, 'objects': 3}
  ]
  assert [shard['examples'] for shard in section['shards']] == [2, 1]
  assert record_writer.verify(str(tmp_path / 'out' / 'images*')) == 3


def test_defective_masks_are_left_out(folder, tmp_path):
  entries = _entries(folder)
  entries[0]['img'] = 'img/table/1749.jpg'
  _write_entries(folder, entries)
  _convert(folder, tmp_path / 'out')
  assert len(_examples(tmp_path / 'out')[1]) == 2
  manifest = json.loads((tmp_path / 'out' / 'manifest.json').read_text())
  assert manifest['records']['images']['settings']['defective'] == [
    'img/table/1749.jpg'
  ]


@pytest.mark.parametrize(
  'options', [{'num_processes': 2}, {'runner': 'DirectRunner'}], ids=str
)
def test_who_converts_changes_no_byte(folder, tmp_path, options):
  _convert(folder, tmp_path / 'here')
  _convert(folder, tmp_path / 'there', **options)
  for path in (tmp_path / 'here').iterdir():
    assert path.read_bytes() == (tmp_path / 'there' / path.name).read_bytes()


def test_cad_lists(folder, tmp_path):
  shape = folder / 'model/bed/IKEA_MALM_3'
  shutil.copy(shape / 'model.obj', shape / 'variant.obj')
  (folder / 'model/chair/other').mkdir(parents=True)
  shutil.copy(shape / 'model.obj', folder / 'model/chair/other')
  _convert(folder, tmp_path / 'out')
  lists = json.loads((tmp_path / 'out' / 'cads.json').read_text())
  assert lists['annotated'] == ['bed/IKEA_MALM_2', 'bed/IKEA_MALM_3']
  assert lists['all'] == [*lists['annotated'], 'chair/other']
  assert lists['variants'] == {
    'bed/IKEA_MALM_3': [
      'bed/IKEA_MALM_3/model.obj',
      'bed/IKEA_MALM_3/variant.obj',
    ]
  }


def test_counts_by_class_leave_the_defective_photo_out(folder):
  split = _split(_entries(folder))
  split['categories'].append({'id': 7, 'name': 'table'})
  split['annotations'][0]['category_id'] = 7
  split['annotations'][1]['category_id'] = 7
  split['images'][1]['file_name'] = 'img/table/1749.jpg'
  (folder / 'split.json').write_text(json.dumps(split))
  photos, defective = pix3d_annotations.read_with_defects(
    str(folder / 'split.json')
  )
  assert pix3d_annotations.count_by_class(photos) == {'bed': 1, 'table': 1}
  assert defective == ['img/table/1749.jpg']


def test_several_objects_of_a_photo_stay_together(folder):
  split = _split(_entries(folder))
  other = dict(split['annotations'][0], id=99, bbox=[1, 2, 3, 4])
  split['annotations'].append(other)
  (folder / 'split.json').write_text(json.dumps(split))
  photos = pix3d_annotations.read(str(folder / 'split.json'))
  assert [len(photo.objects) for photo in photos] == [1, 1, 2]


def _same_object_twice(split):
  split['annotations'].append(dict(split['annotations'][0], id=99))


def _two_cameras(split):
  other = dict(split['annotations'][0], bbox=[1, 2, 3, 4], K=[5, 6, 7])
  split['annotations'].append(other)


def _same_id_twice(split):
  split['images'][0]['id'] = split['images'][1]['id']


def _unknown_image(split):
  split['annotations'][0]['image_id'] = 7


def _polygon(split):
  split['annotations'][0]['segmentation'] = [[0, 0, 1, 0, 1, 1]]


@pytest.mark.parametrize(
  ('breakage', 'message'),
  [
    (_same_object_twice, r'img/bed/0010.png has the same object twice'),
    (_two_cameras, r'img/bed/0010.png has two cameras'),
    (_same_id_twice, r'two images have the same id'),
    (_unknown_image, r'annotation 50 has image_id 7'),
    (_polygon, r'img/bed/0010.png: the segmentation is no path'),
  ],
)
def test_contradictory_splits_are_refused(folder, breakage, message):
  split = _split(_entries(folder))
  breakage(split)
  (folder / 'split.json').write_text(json.dumps(split))
  with pytest.raises(ValueError, match='split.json.*' + message):
    pix3d_annotations.read(str(folder / 'split.json'))


def _scaled_rotation(folder, entry):
  entry['rot_mat'] = (2 * np.array(entry['rot_mat'])).tolist()


def _mirrored_rotation(folder, entry):
  entry['rot_mat'] = (np.diag([-1, 1, 1]) @ entry['rot_mat']).tolist()


def _far_box(folder, entry):
  entry['bbox'] = [10, 10, entry['img_size'][0] + 20, 60]


def _empty_box(folder, entry):
  entry['bbox'] = [10, 10, 10, 60]


def _unknown_class(folder, entry):
  entry['category'] = 'beds'


def _missing_mesh(folder, entry):
  os.remove(folder / entry['model'])


def _faceless_mesh(folder, entry):
  (folder / entry['model']).write_text('v 0 0 0\nv 1 0 0\nv 0 1 0\n')


def _cut_image(folder, entry):
  path = folder / entry['img']
  path.write_bytes(path.read_bytes()[:2000])


def _missing_image(folder, entry):
  os.remove(folder / entry['img'])


def _missing_mask(folder, entry):
  os.remove(folder / entry['mask'])


def _other_mask(folder, entry):
  shutil.copy(folder / 'mask/bed/0001.png', folder / entry['mask'])


def _behind_camera(folder, entry):
  entry['trans_mat'][2] = -1.0


_BREAKAGES = [
  (_scaled_rotation, r'img/bed/0010.png.*determinant 8'),
  (_mirrored_rotation, r'img/bed/0010.png.*determinant -1'),
  (_far_box, r'img/bed/0010.png.*box.*1024 x 768'),
  (_empty_box, r'img/bed/0010.png.*box.*empty'),
  (_unknown_class, r"img/bed/0010.png.*unknown class 'beds'.*mean 'bed'"),
  (_missing_mesh, r'IKEA_MALM_3/model.obj'),
  (_faceless_mesh, r'IKEA_MALM_3/model.obj.*face'),
  (_cut_image, r'img/bed/0010.png.*does not decode'),
  (_missing_image, r'img/bed/0010.png'),
  (_missing_mask, r'mask/bed/0010.png'),
  (_other_mask, r'img/bed/0010.png.*mask.*\(244, 395\)'),
  (_behind_camera, r'img/bed/0010.png.*behind the camera'),
]


@pytest.mark.parametrize(
  ('breakage', 'message'),
  _BREAKAGES,
  ids=[breakage.__name__ for breakage, _ in _BREAKAGES],
)
def test_bad_input_is_named_and_leaves_nothing(
  folder, tmp_path, breakage, message
):
  _convert(folder, tmp_path / 'out')
  before = {
    path.name: path.read_bytes() for path in (tmp_path / 'out').iterdir()
  }
  entries = _entries(folder)
  breakage(folder, entries[2])
  _write_entries(folder, entries)
  with pytest.raises((ValueError, OSError), match=message):
    _convert(folder, tmp_path / 'out', num_shards=3)
  assert before == {
    path.name: path.read_bytes() for path in (tmp_path / 'out').iterdir()
  }
  # The annotations may be the same: nobody hashes all photos and meshes.
  skipped = _convert(folder, tmp_path / 'out', skip_broken=True, restart=True)
  assert len(skipped) == 1 and skipped[0].startswith('img/bed/0010.png')
  examples, _ = _examples(tmp_path / 'out')
  assert set(examples) == {'img/bed/0001.png', 'img/bed/0002.png'}
  manifest = json.loads((tmp_path / 'out' / 'manifest.json').read_text())
  assert manifest['records']['images']['skipped'] == skipped


def test_nothing_left_is_an_error(folder, tmp_path):
  entries = _entries(folder)
  for entry in entries:
    _unknown_class(folder, entry)
  _write_entries(folder, entries)
  with pytest.raises(ValueError, match='no usable example'):
    _convert(folder, tmp_path / 'out', skip_broken=True)
  assert not list((tmp_path / 'out').iterdir())


@pytest.mark.parametrize(
  ('text', 'message'),
  [
    ('{"annotations": []}', "no 'categories'"),
    ('not json', 'not JSON'),
    ('[{"img": "a"}]', "no 'img_size'"),
  ],
)
def test_strange_annotations(tmp_path, text, message):
  (tmp_path / 'a.json').write_text(text)
  with pytest.raises(ValueError, match=message):
    pix3d_annotations.read(str(tmp_path / 'a.json'))


def test_missing_annotations_are_named():
  with pytest.raises(FileNotFoundError, match='/no/pix3d.json'):
    pix3d_annotations.read('/no/pix3d.json')


def test_command_line(folder, tmp_path):
  output = str(tmp_path / 'out')
  arguments = (f'--pix3d_dir={folder}', f'--output_dir={output}')
  result = command_runner.run(
    pix3d, *arguments, f'--annotations={folder}/pix3d.json', '--num_shards=2'
  )
  assert result.status == 0
  assert '3 photos; bed 3' in result.stdout
  assert sorted(os.listdir(output)) == [
    'cads.json',
    'images.tfrecord-00000-of-00002',
    'images.tfrecord-00001-of-00002',
    'manifest.json',
  ]
  result = command_runner.run(
    pix3d, *arguments, f'--annotations={folder}/no.json'
  )
  assert 'no.json' in result.only_line
  assert 'annotations' in command_runner.run(pix3d, *arguments).only_line
