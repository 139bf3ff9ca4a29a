"""`python -m mask2cad_tf.calibrate`: what it writes, what predict says then."""

import json
import shutil

import numpy as np

from mask2cad_tf import calibrate
from mask2cad_tf import predict
from mask2cad_tf.evaluation import surface_comparison
from mask2cad_tf.refinement import confidence
from tests import command_runner


def test_writes_a_judge_that_predict_heeds(
  tiny_world, toy_data, tmp_path, monkeypatch
):
  tiny_world.patch(monkeypatch)
  written = []
  monkeypatch.setattr(
    confidence.Confidence, 'save', lambda judge, folder: written.append(judge)
  )
  # The masks of random weights let no CAD fit: the true one does.
  monkeypatch.setattr(
    surface_comparison.SurfaceComparison,
    'f1',
    lambda _, predicted, true, distance: float(
      predicted.cad_id == true.cad_id and distance == 0.3
    ),
  )
  result = command_runner.run(
    calibrate,
    f'--model={tiny_world.model_dir}',
    f'--gallery={tiny_world.gallery_dir}',
    f'--library={toy_data.library}',
    f'--records={toy_data.image_records}',
    '--refine_seconds=0.1',
  )
  assert result.status == 0, result
  (judge,) = written
  assert len(judge.weights) == 3
  assert 'with it hidden' in result.stdout and 'AUROC' in result.stdout

  for bias, confident in ((50.0, True), (-50.0, False)):
    fixed = confidence.Confidence(bias, (0.0, 0.0, 0.0))
    monkeypatch.setattr(confidence, 'load', lambda _, fixed=fixed: fixed)
    shutil.copy(tiny_world.photos[0], tmp_path / 'a.png')
    result = command_runner.run(
      predict,
      f'--image={tmp_path}/a.png',
      f'--model={tiny_world.model_dir}',
      f'--gallery={tiny_world.gallery_dir}',
      f'--output_dir={tmp_path}',
      '--box=22,4,228,240',
      '--label=bed',
      '--refine_seconds=0.1',
    )
    assert result.status == 0, result
    (thing,) = json.loads((tmp_path / 'a' / 'scene.json').read_text())[
      'objects'
    ]
    assert thing['confident'] is confident
    assert round(thing['confidence']) == confident


def test_report_by_hand():
  trials = [
    calibrate.Trial([0.9, 0.5, 0.5], True, False, True),
    calibrate.Trial([0.9, 0.5, 0.5], True, False, True),
    calibrate.Trial([0.5, 0.1, 0.5], False, True, True),
    calibrate.Trial([0.8, 0.4, 0.5], True, True, True),
  ]
  text = calibrate.report(
    np.array([0.95, 0.85, 0.1, 1.0]),
    np.array([True, True, False, True]),
    trials,
  )
  assert '2 objects with their CAD in the gallery, 2 of them fit' in text
  assert '2 with it hidden, 1 fit all the same' in text
  assert 'AUROC 1.000, right with the threshold 0.5: 1.000' in text
  # (.95 + .85 + 1) / 3 = .933.
  assert '| 0.8 to 1.0 | 3 | 0.93 | 1.00 |' in text
  assert '| 0.4 to 0.6 | 0 | - | - |' in text
