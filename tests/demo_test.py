"""The demo's own parts; `make demo` itself is a slow check."""

import numpy as np
import pytest
from PIL import Image

from mask2cad_tf import demo
from mask2cad_tf.geometry import cad_folder

_LOG = """
I1123 controller.py:531] train | step:     10 | steps/sec:    0.1 | output:
    {'box': 0.5,
     'total_loss': 5.97,
     'training_loss': 5.97}
train | step:     20 | steps/sec:    1.2 | output:
    {'box': 0.4,
     'total_loss': 1.2e-01,
     'training_loss': 1.2e-01}
train | step:     30 | steps/sec:    1.2 | output:
"""


def test_progress_is_the_last_complete_report():
  assert demo.progress(_LOG) == (20, 0.12)
  assert demo.progress('nothing yet') == (0, None)


def test_library_has_the_photos_beds_and_others(tmp_path):
  demo.make_library(demo.sample_photos(), tmp_path / 'library')
  cads = cad_folder.list_cads(str(tmp_path / 'library'))
  names = {cad.cad_id for cad in cads}
  assert {'bed/IKEA_MALM_2', 'bed/IKEA_MALM_3'} < names
  assert len(names) >= 40


def test_a_failing_command_shows_the_end_of_its_log(tmp_path):
  runner = demo.Runner(tmp_path / 'logs')
  with pytest.raises(demo.StepFailed, match='no_such_tool'):
    runner.run('tfrecords_tools.no_such_tool', '--x=1')


def test_report_names_the_numbers():
  tables = {'mesh_ap': {'strict': {'AP': 93.3}}, 'mask_ap': {'AP50': 100.0}}
  text = demo.report('runs/demo', tables, [('0001', 0.987)], seconds=90.0)
  assert 'not a trained model' in text
  for number in ('93.3', '100.0', '0.987', '1.5 minutes'):
    assert number in text


def test_photos_are_real(tmp_path):
  photos = demo.sample_photos()
  sizes = [
    np.asarray(Image.open(path)).shape[:2]
    for path in sorted(photos.glob('img/*/*.png'))
  ]
  assert len(sizes) == 3 and min(min(size) for size in sizes) > 200
