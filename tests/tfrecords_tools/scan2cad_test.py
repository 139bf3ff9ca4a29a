"""Rendered scans through the converter: what comes out is what was rendered."""

import json
import os
import shutil

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from mask2cad_tf import conventions
from mask2cad_tf import evaluate
from mask2cad_tf.data import record_files
from mask2cad_tf.data import schema
from mask2cad_tf.evaluation import alignment_evaluator
from mask2cad_tf.evaluation import photo_records
from tests import command_runner
from tests.tfrecords_tools import mini_scans
from tfrecords_tools import scan2cad
from tfrecords_tools import scan2cad_annotations
from tfrecords_tools import scan2cad_frames
from tfrecords_tools import scan2cad_splits


@pytest.fixture(scope='module')
def scans(tmp_path_factory):
  return mini_scans.write(str(tmp_path_factory.mktemp('mini')))


def _flags(scans, output, *more):
  return (
    f'--scannet_dir={scans}',
    f'--scan2cad_json={scans}/full_annotations.json',
    f'--shapenet_dir={scans}/shapenet',
    f'--output_dir={output}',
    '--num_shards=2',
    '--num_processes=1',
    *more,
  )


def _convert(scans, output, *more):
  return command_runner.run(scan2cad, *_flags(scans, output, *more))


@pytest.fixture(scope='module')
def converted(scans, tmp_path_factory):
  """Both splits, all classes, the records' folder."""
  output = str(tmp_path_factory.mktemp('records'))
  result = _convert(
    scans,
    output,
    '--min_appearances=1',
    f'--train_scenes={scans}/scannetv2_train.txt',
    f'--val_scenes={scans}/scannetv2_val.txt',
  )
  assert result.status == 0, result
  assert f'train: {mini_scans.FRAMES} photos' in result.stdout
  assert 'frames_without_pose 1' in result.stdout
  assert 'scene0000_00/color/000400.jpg: ScanNet has no pose' in result.stderr
  return output


def _examples(folder):
  pattern = os.path.join(folder, 'images*')
  for record in record_files.read(record_files.match(pattern)):
    yield tf.train.Example.FromString(record).features.feature


def _photos(scans, folder):
  return list(
    photo_records.read(
      os.path.join(folder, 'images*'),
      lambda cad_id, mesh: os.path.join(scans, 'shapenet', mesh),
    )
  )


def _png(data):
  return tf.io.decode_png(data, channels=1).numpy()[..., 0] > 127


def _truth_of(truth, feature, index):
  """The entry of truth.json that an object of a record is, by its place."""
  name = feature[schema.IMAGE_FILENAME].bytes_list.value[0].decode()
  scene, _, file = name.split('/')
  place = np.reshape(feature[schema.TRANSLATION].float_list.value, [-1, 3])
  (found,) = [
    item
    for item in truth[f'{scene}/{file[:6]}']
    if np.abs(np.subtract(item['translation'], place[index])).max() < 1e-4
  ]
  return scene, file[:6], found


def test_masks_are_the_rendered_instances(scans, converted):
  truth = mini_scans.truth(scans)
  overlaps = []
  for part in ('train', 'val'):
    for feature in _examples(os.path.join(converted, part)):
      masks = feature[schema.MASK].bytes_list.value
      amodal = feature[schema.AMODAL_MASK].bytes_list.value
      shares = feature[schema.OCCLUDED_SHARE].float_list.value
      for i, png in enumerate(masks):
        scene, frame, item = _truth_of(truth, feature, i)
        path = os.path.join(
          scans, 'scannet_frames_25k', scene, 'instance', f'{frame}.png'
        )
        rendered = np.asarray(Image.open(path)) % 1000 == item['instance']
        mask, whole = _png(png), _png(amodal[i])
        overlaps.append((mask & rendered).sum() / (mask | rendered).sum())
        assert not (mask & ~whole).any()
        assert shares[i] == pytest.approx(1 - mask.sum() / whole.sum())
  assert len(overlaps) > 15
  assert min(overlaps) >= 0.98
  assert any(
    share > 0.1
    for part in ('train', 'val')
    for feature in _examples(os.path.join(converted, part))
    for share in feature[schema.OCCLUDED_SHARE].float_list.value
  )


def test_poses_are_the_true_ones(scans, converted):
  truth = mini_scans.truth(scans)
  for part in ('train', 'val'):
    folder = os.path.join(converted, part)
    for photo, feature in zip(_photos(scans, folder), _examples(folder)):
      for i, cad in enumerate(photo.objects):
        _, _, item = _truth_of(truth, feature, i)
        np.testing.assert_allclose(cad.rotation, item['rotation'], atol=1e-5)
        np.testing.assert_allclose(cad.scale, item['scale'], rtol=1e-5)
        assert cad.depth == pytest.approx(item['translation'][2], abs=1e-5)
        name = conventions.SCANNET_CLASSES[cad.label - 1]
        assert cad.cad_id == f'{name}/{item["id_cad"]}'
        assert cad.mesh.endswith(
          f'{item["catid_cad"]}/{item["id_cad"]}/models/model_normalized.obj'
        )


def test_boxes_and_flags(scans, converted):
  for feature in _examples(os.path.join(converted, 'train')):
    for i, png in enumerate(feature[schema.AMODAL_MASK].bytes_list.value):
      whole = _png(png)
      rows, columns = np.nonzero(whole)
      box = [
        feature[key].float_list.value[i]
        for key in (
          schema.BOX_YMIN,
          schema.BOX_XMIN,
          schema.BOX_YMAX,
          schema.BOX_XMAX,
        )
      ] * np.tile(whole.shape, 2)
      np.testing.assert_allclose(
        box,
        [rows.min(), columns.min(), rows.max() + 1, columns.max() + 1],
        atol=1e-4,
      )
      share = feature[schema.OCCLUDED_SHARE].float_list.value[i]
      occluded = feature[schema.OCCLUDED].int64_list.value[i]
      slightly = feature[schema.SLIGHTLY_OCCLUDED].int64_list.value[i]
      assert occluded == (share > 0.4)
      assert slightly == (0.05 < share <= 0.4)
      if not feature[schema.TRUNCATED].int64_list.value[i]:
        assert rows.min() > 0 or not whole[0].any()


def test_the_world_is_the_scans(scans, converted):
  annotations = scan2cad_annotations.read(f'{scans}/full_annotations.json')
  for photo in _photos(scans, os.path.join(converted, 'train')):
    assert photo.scene_id == 'scene0000_00'
    for cad in photo.objects:
      world = alignment_evaluator.to_world(
        cad, photo.camera_to_world, cad.symmetry
      )
      (model,) = [
        model
        for model in annotations[photo.scene_id]
        if np.abs(model.translation - world.translation).max() < 1e-4
      ]
      np.testing.assert_allclose(world.rotation, model.rotation, atol=1e-4)
      assert cad.symmetry == model.symmetry
      assert world.translation[2] > 0  # scans are z-up


def test_ground_truth_aligns_to_a_hundred(scans, converted, tmp_path):
  result = command_runner.run(
    evaluate,
    '--ground_truth',
    f'--records={converted}/*/images*',
    f'--library={scans}/shapenet',
    f'--output_dir={tmp_path}',
    '--f1_distance=0.5',
  )
  assert result.status == 0, result
  tables = json.loads((tmp_path / 'tables.json').read_text())
  assert tables['mesh_ap']['strict']['AP'] == pytest.approx(100.0)
  alignment = tables['alignment']
  for key in ('accuracy', 'retrieval_accuracy', 'ground_truth'):
    assert alignment[key] == 100.0
  assert set(alignment['per_scene']) == {'scene0000_00', 'scene0001_00'}
  assert '## Alignment in scans' in (tmp_path / 'tables.md').read_text()
  assert photo_records.class_names(f'{converted}/*/images*') == (
    conventions.SCANNET_CLASSES
  )


def test_manifest_says_what_was_counted(scans, converted):
  with open(os.path.join(converted, 'train', 'manifest.json')) as file:
    settings = json.load(file)['records']['images']['settings']
  assert settings['class_names'] == ['chair', 'sofa', 'table']
  assert settings['split'] == 'train'
  assert settings['scenes'] == ['scene0000_00']
  counts = settings['training_appearances']
  assert {'chair', 'sofa', 'table'} <= set(counts)
  assert settings['library'] == os.path.abspath(f'{scans}/shapenet')


def test_a_rare_class_is_left_out(scans, converted, tmp_path):
  with open(os.path.join(converted, 'train', 'manifest.json')) as file:
    counts = json.load(file)['records']['images']['settings'][
      'training_appearances'
    ]
  known = {k: n for k, n in counts.items() if k in conventions.SCANNET_CLASSES}
  rarest = min(known, key=known.get)
  limit = sorted(known.values())[0] + 1
  assert _convert(scans, tmp_path, f'--min_appearances={limit}').status == 0
  for part in ('train', 'val'):
    for feature in _examples(str(tmp_path / part)):
      names = feature[schema.CLASS_TEXT].bytes_list.value
      labels = feature[schema.CLASS_LABEL].int64_list.value
      assert rarest.encode() not in names
      # Labels do not close ranks: they are the experiment's.
      for name, label in zip(names, labels):
        assert conventions.SCANNET_CLASSES[label - 1] == name.decode()


def test_amodal_masks(scans, tmp_path):
  more = ('--min_appearances=1', '--masks=amodal')
  assert _convert(scans, tmp_path, *more).status == 0
  for feature in _examples(str(tmp_path / 'train')):
    assert list(feature[schema.MASK].bytes_list.value) == list(
      feature[schema.AMODAL_MASK].bytes_list.value
    )


def _maker(scans, keep_empty, class_names=()):
  folder = scan2cad_annotations.frames_folder(scans)
  options = scan2cad_frames.Options(
    scans, f'{scans}/full_annotations.json', f'{scans}/shapenet'
  )
  return scan2cad_frames.FrameMaker(
    options,
    folder,
    scan2cad_annotations.read(options.scan2cad_json),
    scan2cad_annotations.list_frames(folder, 'scene0001_00'),
    class_names,
    keep_empty,
  )


def test_photos_without_objects_validate_only(scans):
  kept, dropped = (_maker(scans, keep)(0) for keep in (True, False))
  assert kept.counts['frames_without_objects'] == 1
  assert kept.counts == dropped.counts
  assert dropped.example is None
  feature = tf.train.Example.FromString(kept.example).features.feature
  assert not feature[schema.CLASS_LABEL].int64_list.value
  assert feature[schema.SCENE_ID].bytes_list.value == [b'scene0001_00']


def test_a_frame_does_not_depend_on_the_one_before(scans):
  names = conventions.SCANNET_CLASSES
  fresh, used = (_maker(scans, False, names) for _ in range(2))
  for index in (2, 0):
    used(index)
  assert fresh(1).example == used(1).example


def test_splits_of_the_mini_scans(scans):
  scenes = scan2cad_annotations.list_scenes(
    scan2cad_annotations.frames_folder(scans)
  )
  assert scan2cad_splits.split(scenes) == scan2cad_splits.split(
    scenes, f'{scans}/scannetv2_train.txt', f'{scans}/scannetv2_val.txt'
  )


def test_resized_photos_are_refused(tmp_path):
  path = str(tmp_path / 'a.jpg')
  Image.new('RGB', (640, 480)).save(path)
  assert scan2cad_frames.photo_size(path, (577.0, 577.0, 319.0, 240.0)) == (
    480,
    640,
  )
  with pytest.raises(ValueError, match='640 x 480 .* 646.3, 489.9.*resized'):
    scan2cad_frames.photo_size(path, (1169.0, 1167.0, 646.3, 489.9))


def test_bad_input_is_one_line(scans, tmp_path):
  cases = {
    f'--scannet_dir={tmp_path}': 'scannet_frames_25k/<scene>/color',
    '--scan2cad_json=none.json': "No annotations at 'none.json'",
    '--min_appearances=100000': 'smaller --min_appearances',
    f'--train_scenes={scans}/scannetv2_train.txt': '--val_scenes',
    '--masks=seen': '--help',
  }
  for argument, expected in cases.items():
    line = _convert(scans, tmp_path / 'out', argument).only_line
    assert line.startswith('tfrecords_tools.scan2cad: ')
    assert expected in line
  assert not (tmp_path / 'out').exists()


def test_a_missing_cad_is_named(scans, tmp_path):
  root = tmp_path / 'shapenet'
  shutil.copytree(f'{scans}/shapenet', root)
  annotations = scan2cad_annotations.read(f'{scans}/full_annotations.json')
  gone = annotations['scene0000_00'][0]
  os.remove(root / gone.mesh)
  more = ('--min_appearances=1', f'--shapenet_dir={root}')
  line = _convert(scans, tmp_path / 'out', *more).only_line
  assert gone.shape in line
