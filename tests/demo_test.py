"""The demo with a model of random weights, its commands in this process."""

import importlib
import json
import shutil

import numpy as np
import pytest
from PIL import Image

from mask2cad_tf import demo
from mask2cad_tf.retrieval import default_gallery
from tests import command_runner


class _InProcess(demo.Runner):
  """Runs the commands here, since every process starts TensorFlow anew."""

  commands = []

  def start(self, module, *arguments):
    self.commands.append((module, arguments))
    result = command_runner.run(importlib.import_module(module), *arguments)
    assert result.status == 0, result
    return self

  def wait(self):
    """Nothing: what was started has ended."""


def test_predicts_and_measures_three_photos(tiny_world, tmp_path, monkeypatch):
  tiny_world.patch(monkeypatch)
  monkeypatch.setattr(_InProcess, 'commands', [])
  monkeypatch.setattr(demo, 'Runner', _InProcess)
  chosen = [
    f'--model={tiny_world.model_dir}',
    f'--gallery={tiny_world.gallery_dir}',
  ]
  result = command_runner.run(demo, *chosen, f'--output_dir={tmp_path}')
  assert result.status == 0, result
  assert [module for module, _ in _InProcess.commands] == [
    'mask2cad_tf.predict',
    'tfrecords_tools.pix3d',
    'mask2cad_tf.evaluate',
  ]
  for module, arguments in _InProcess.commands:
    given = module != 'tfrecords_tools.pix3d'
    assert set(chosen) <= set(arguments) or not given
  assert '--refine' in _InProcess.commands[-1][1]
  with Image.open(tmp_path / 'demo.png') as sheet:
    assert sheet.width > sheet.height
  for name in ('0001', '0002', '0010'):
    assert f'photo {name}: ' in result.stdout
    assert (tmp_path / name / 'scene.glb').exists()
  assert 'AP^mesh50 strict' in result.stdout
  assert 'never trained' not in result.stdout  # not the packaged model


@pytest.fixture(scope='module')
def photo():
  """(folder of the photos, the annotation of the first)."""
  photos = default_gallery.sample_photos()
  return photos, json.loads((photos / 'pix3d.json').read_text())[0]


def _scene(photo, objects, folder):
  width, height = photo['img_size']
  focal = photo['focal_length'] / 32.0 * width
  camera = {'fx': focal, 'fy': focal, 'cx': width / 2, 'cy': height / 2}
  text = json.dumps({'camera': camera, 'objects': objects})
  (folder / 'scene.json').write_text(text)


def test_the_truth_is_found_to_be_true(photo, tmp_path):
  photos, annotation = photo
  shutil.copytree(photos / 'model', tmp_path / 'meshes')
  best = {
    'label': 'bed',
    'score': 0.9,
    'box': annotation['bbox'],
    'cad_id': 'bed/IKEA_MALM_2',
    'mesh': 'meshes/bed/IKEA_MALM_2/model.obj',
    'rotation': annotation['rot_mat'],
    'translation': annotation['trans_mat'],
  }
  lesser = {**best, 'score': 0.8, 'box': [0, 0, 1, 1]}
  _scene(annotation, [lesser, best], tmp_path)
  found = demo.read_finding(photos, annotation, tmp_path, str(tmp_path))
  assert found.box_iou == pytest.approx(1.0)
  assert found.silhouette_iou > 0.9
  assert (found.label, found.score) == ('bed', 0.9)
  assert found.cad_id == found.true_cad_id == 'bed/IKEA_MALM_2'
  _scene(annotation, [], tmp_path)
  found = demo.read_finding(photos, annotation, tmp_path, str(tmp_path))
  assert found == demo.Finding('0001', 'bed/IKEA_MALM_2')


def test_a_failing_command_shows_the_end_of_its_log(tmp_path, capsys):
  runner = demo.Runner(tmp_path / 'logs')
  step = runner.start('tfrecords_tools.no_such_tool', '--x=1')
  with pytest.raises(demo.StepFailed, match='No module named .*no_such_tool'):
    step.wait()
  printed = capsys.readouterr().out
  assert '$ python -m tfrecords_tools.no_such_tool \\\n    --x=1' in printed


def test_report_names_the_numbers():
  findings = [
    demo.Finding('0001', 'bed/a', 'bed', 0.93, 0.91, 'bed/a', 0.876),
    demo.Finding('0002', 'bed/a', 'sofa', 0.5, 0.4, 'sofa/b', 0.3),
    demo.Finding('0010', 'bed/a'),
  ]
  text = demo.report('runs/demo', findings, 66.7, seconds=90.4)
  assert 'never trained on these photos' in text
  for part in (
    'photo 0001: bed (score 0.93), box IoU 0.91; CAD bed/a (the true one), '
    'silhouette IoU 0.88',
    'CAD sofa/b (true: bed/a)',
    'photo 0010: nothing found',
    'AP^mesh50 strict 66.7',
    '90 seconds',
  ):
    assert part in text
  assert 'not defined' in demo.report('x', [], None, 1.0)


def test_photos_are_real():
  photos = default_gallery.sample_photos()
  sizes = [
    np.asarray(Image.open(path)).shape[:2]
    for path in sorted(photos.glob('img/*/*.png'))
  ]
  assert len(sizes) == 3 and min(min(size) for size in sizes) > 200
