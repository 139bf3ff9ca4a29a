"""Planted faults are found, each with its kind and place; good data passes."""

import dataclasses
import json
import os

import numpy as np
import pytest

from mask2cad_tf.data import schema
from tests import command_runner
from tests.tfrecords_tools.diagnosis import good_data
from tfrecords_tools import doctor


@pytest.fixture(scope='module')
def library(tmp_path_factory):
  return good_data.write_library(tmp_path_factory.mktemp('library'))


@pytest.fixture(scope='module')
def good(library):
  return good_data.photos(library)


def _copy(photos):
  """Photos that may be changed without changing the originals."""
  return [dataclasses.replace(x, objects=list(x.objects)) for x in photos]


def _change(photo, number, **values):
  photo.objects[number] = dataclasses.replace(photo.objects[number], **values)


def _run(folder, records, *arguments):
  """Exit status and verdict."""
  report_dir = folder / 'report'
  result = command_runner.run(
    doctor, f'--dataset={records}', f'--report_dir={report_dir}', *arguments
  )
  assert result.status in (0, 1), result
  verdict = json.loads((report_dir / doctor.VERDICT).read_text())
  assert verdict['ok'] == (result.status == 0)
  if '--json' in arguments:
    assert json.loads(result.stdout) == verdict  # nothing else is printed
  return result.status, verdict


def _broken(verdict):
  """{(kind, where)} of what is broken."""
  return {
    (x['kind'], x['where'])
    for x in verdict['problems']
    if x['severity'] == 'broken'
  }


def _verdict_of(tmp_path, library, photos, edit=None):
  records = good_data.write(tmp_path / 'records', library, photos, edit)
  status, verdict = _run(tmp_path, records)
  assert status == 1
  return _broken(verdict)


@pytest.mark.parametrize('with_amodal', [True, False])
def test_good_data_passes(tmp_path, library, with_amodal):
  photos = good_data.photos(library, with_amodal)
  records = good_data.write(tmp_path / 'records', library, photos)
  status, verdict = _run(tmp_path, records)
  assert status == 0
  assert verdict['checked'] == good_data.NUM_PHOTOS
  assert verdict['objects'] == 2 * good_data.NUM_PHOTOS
  assert not _broken(verdict)
  assert verdict['mask_iou']['min'] > 0.99
  assert verdict['mask_iou']['below_0.9'] == 0
  assert set(verdict['classes']) <= set(good_data.CLASS_NAMES)
  page = (tmp_path / 'report' / doctor.REPORT).read_text()
  assert page.count('<figure>') == page.count('data:image/jpeg;base64,') >= 16
  assert 'http' not in page


@pytest.mark.parametrize(
  'axis, named', [([-1, 1, 1], 'x of'), ([1, -1, 1], 'y of')]
)
def test_mirrored_axis(tmp_path, library, good, axis, named):
  photos, flip = _copy(good), np.diag(axis)
  item = photos[2].objects[0]
  _change(
    photos[2],
    0,
    rotation=flip @ item.rotation @ flip,
    translation=flip @ item.translation,
  )
  records = good_data.write(tmp_path / 'records', library, photos)
  _, verdict = _run(tmp_path, records)
  assert _broken(verdict) == {('mirrored_axis', 'rooms/2.png#0')}
  assert any(named in x['detail'] for x in verdict['problems'])


def test_wrong_cad(tmp_path, library, good):
  photos = _copy(good)
  item = photos[3].objects[0]
  others = [
    x
    for x in good_data.cad_ids()
    if x.startswith(item.label_name) and x != item.cad_id
  ]
  _change(photos[3], 0, cad_id=others[0], mesh=f'{others[0]}/model.ply')
  records = good_data.write(tmp_path / 'records', library, photos)
  _, verdict = _run(tmp_path, records)
  assert _broken(verdict) == {('wrong_cad', 'rooms/3.png#0')}
  assert item.cad_id in verdict['problems'][0]['detail']


@pytest.mark.parametrize('factor', [0.8, 1.2])
def test_focal_length(tmp_path, library, good, factor):
  photos = _copy(good)
  focal = factor * good_data.INTRINSICS[0]
  photos[1].intrinsics = (focal, focal, *good_data.INTRINSICS[2:])
  records = good_data.write(tmp_path / 'records', library, photos)
  _, verdict = _run(tmp_path, records)
  assert _broken(verdict) == {
    ('focal_length', 'rooms/1.png#0'),
    ('focal_length', 'rooms/1.png#1'),
  }
  factors = [
    float(x['detail'].split(' with ')[1].split(' times')[0])
    for x in verdict['problems']
    if x['kind'] == 'focal_length'
  ]
  assert factors == pytest.approx([1 / factor] * 2, abs=0.04)


@pytest.mark.parametrize('quarter_turns', [1, 3])
def test_rotated_pose(tmp_path, library, good, quarter_turns):
  photos = _copy(good)
  turn = good_data.look(quarter_turns * np.pi / 2, tilt=0.0)
  rotation = photos[4].objects[0].rotation @ turn
  _change(photos[4], 0, rotation=rotation)
  records = good_data.write(tmp_path / 'records', library, photos)
  _, verdict = _run(tmp_path, records)
  assert _broken(verdict) == {('rotated_pose', 'rooms/4.png#0')}
  undo = f'{(4 - quarter_turns) * 90} degrees'
  assert undo in verdict['problems'][0]['detail']


def test_masks_swapped_between_two_images(tmp_path, library, good):
  photos = _copy(good)
  first, second = photos[0].objects[0], photos[5].objects[0]
  for photo, source in ((photos[0], second), (photos[5], first)):
    _change(
      photo,
      0,
      mask=source.mask,
      amodal_mask=source.amodal_mask,
      occluded_share=source.occluded_share,
    )
  assert _verdict_of(tmp_path, library, photos) == {
    ('masks_swapped', 'rooms/0.png#0'),
    ('masks_swapped', 'rooms/5.png#0'),
  }


@pytest.mark.parametrize('form', ['png', 'jpeg'])
def test_truncated_image(tmp_path, library, good, form):
  def cut(index, example):
    if index == 6:
      photo = good[6].encoded
      photo = photo if form == 'png' else good_data.jpeg(photo)
      good_data.set_bytes(
        example, schema.IMAGE_ENCODED, photo[: int(0.6 * len(photo))]
      )

  assert _verdict_of(tmp_path, library, good, cut) == {
    ('truncated_image', 'rooms/6.png')
  }


def test_photo_of_the_training_data(tmp_path, library, good):
  test = good_data.write(tmp_path / 'test', library, good[:3])
  copied = dataclasses.replace(
    good[1], name='copy.jpg', encoded=good_data.jpeg(good[1].encoded)
  )
  train = good_data.write(
    tmp_path / 'train', library, [*_copy(good)[3:], copied]
  )
  status, verdict = _run(tmp_path, test, f'--train={train}')
  assert status == 1
  assert _broken(verdict) == {('duplicate_photo', 'rooms/1.png')}
  assert 'copy.jpg' in verdict['problems'][0]['detail']


def test_other_training_photos_are_no_copies(tmp_path, library, good):
  test = good_data.write(tmp_path / 'test', library, good[:3])
  train = good_data.write(tmp_path / 'train', library, good[3:])
  assert _run(tmp_path, test, f'--train={train}')[0] == 0


def test_missing_and_broken_meshes(tmp_path, library, good):
  photos = _copy(good)
  _change(photos[0], 1, mesh='chair/none/model.ply')
  broken = os.path.join(library, 'chair', 'empty.ply')
  with open(broken, 'w', encoding='utf-8') as file:
    file.write('no mesh')
  _change(photos[1], 0, mesh='chair/empty.ply')
  assert _verdict_of(tmp_path, library, photos) == {
    ('missing_mesh', 'rooms/0.png#1'),
    ('broken_mesh', 'rooms/1.png#0'),
  }


def test_truncated_shard(tmp_path, library, good):
  records = good_data.write(tmp_path / 'records', library, good)
  shard = sorted((tmp_path / 'records').glob('images*'))[0]
  shard.write_bytes(shard.read_bytes()[:-100])
  status, verdict = _run(tmp_path, records)
  assert status == 1
  assert _broken(verdict) == {('truncated_records', str(shard))}
  assert verdict['checked'] == good_data.NUM_PHOTOS - 1


def test_annotation_json_of_real_photos(tmp_path, toy_data):
  status, verdict = _run(tmp_path, toy_data.annotations)
  assert status == 0
  assert verdict['checked'] == 3
  assert verdict['mask_iou']['min'] > 0.97


def test_processes_change_nothing(tmp_path, toy_data, monkeypatch):
  arguments = (
    toy_data.image_records,
    f'--library={toy_data.library}',
    f'--class_names={",".join(toy_data.class_names)}',
  )
  monkeypatch.setattr(doctor, '_FEW', 0)
  for count in (1, 2):
    processes = f'--num_processes={count}'
    _run(tmp_path / str(count), *arguments, processes, '--json')
  one, two = (
    (tmp_path / str(count) / 'report' / doctor.VERDICT).read_text()
    for count in (1, 2)
  )
  assert one == two
  assert json.loads(one)['checked'] == 11


def test_bad_input_is_one_line(tmp_path, toy_data):
  line = command_runner.run(
    doctor, f'--dataset={tmp_path}/none*', f'--report_dir={tmp_path}/report'
  ).only_line
  assert 'none*' in line
  line = command_runner.run(
    doctor,
    f'--dataset={toy_data.scene_records}',
    f'--report_dir={tmp_path}/report',
  ).only_line
  assert '--library' in line
  assert not (tmp_path / 'report').exists()
