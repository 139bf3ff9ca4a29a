"""The benchmark of inference: tables by hand, and a run of a tiny model."""

import json

import pytest
from absl import flags
from absl.testing import flagsaver

from tests.benchmarks import inference_speed

if not flags.FLAGS.is_parsed():
  flags.FLAGS.mark_as_parsed()


def _stage(name, gflop, mb, seconds):
  return {
    'stage': name,
    'gflop': gflop,
    'mb': mb,
    'resident_mib': 700.4,
    'seconds': seconds,
  }


_REPORT = {
  'model': 'toy',
  'dtype': 'float32',
  'side': 64,
  'detections': 3,
  'limits': [
    {'float32': rate, 'bfloat16': 400.0, 'memory': 10.0}
    for rate in (90.0, 100.0, 110.0)
  ],
  'stages': [
    _stage('heads', 0.5, 10.0, [0.009, 0.010, 0.011]),
    _stage('search', 0.0, 40.0, [0.008] * 3),
    _stage('decode', 0.0, 0.0, [0.001] * 3),
  ],
  'serving': {
    '0.5': {
      'seconds': {'load': 3.0, 'first': 2.0},
      'resident_mib': {'import': 400.0, 'load': 600.0, 'served': 800.0},
      'peak_mib': 850.0,
      'latencies': [0.05] * 3,
      'batch': 4,
      'batch_latencies': [0.1] * 3,
    }
  },
}


def test_floor_is_the_larger_of_two():
  # 0.5 GFLOP at 100 GFLOP/s, 10 MB at 10 GB/s.
  assert inference_speed.floors(
    {'gflop': 0.5, 'mb': 10.0}, 100.0, 10.0
  ) == pytest.approx([5.0, 1.0])


def test_tables_by_hand():
  text = inference_speed.markdown([_REPORT])
  assert 'Matrix product 100 GFLOP/s, memory 10.0 GB/s.' in text
  assert '| heads | 0.50 | 10.0 | 10.0 | 10.9 | 5.0 | 2.00 | 700 |' in text
  assert '| search | 0.00 | 40.0 | 8.0 | 8.0 | 4.0 | 2.00 | 700 |' in text
  assert '| decode | 0.00 | 0.0 | 1.0 | 1.0 | 0.0 |  | 700 |' in text
  assert (
    '| toy float32 | 0.5 | 50 | 50 | 20.0 | 40.0 | 3.0 | 2.0 | '
    '400, 600, 800 | 850 |'
  ) in text


def test_a_tiny_model_is_measured(tiny_world, tmp_path, monkeypatch):
  tiny_world.patch(monkeypatch)
  with (
    flagsaver.as_parsed(
      gallery=tiny_world.gallery_dir, repeats='2', batch='2', min_score='0'
    ),
    flagsaver.as_parsed(refine='false'),
  ):
    report = inference_speed.measure(
      tiny_world.model_dir, 'float32', inference_speed.photos(str(tmp_path))
    )
  stages = {stage['stage']: stage for stage in report['stages']}
  assert {'decode', 'backbone', 'CAD towers', 'search', 'whole'} <= set(stages)
  assert all(len(stage['seconds']) == 2 for stage in stages.values())
  assert stages['whole']['gflop'] == pytest.approx(
    sum(stage['gflop'] for stage in report['stages'][:-1])
  )
  assert stages['backbone']['gflop'] > 0
  (served,) = report['serving'].values()
  assert served['peak_mib'] >= served['resident_mib']['served'] > 100
  text = inference_speed.markdown([json.loads(json.dumps(report))])
  assert text.count('\n| ') == len(stages) + 3  # two heads, one process
