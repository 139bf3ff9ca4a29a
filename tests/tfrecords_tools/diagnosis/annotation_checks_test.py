import numpy as np
import pytest

from tests.tfrecords_tools.diagnosis import good_data
from tfrecords_tools.diagnosis import annotation_checks
from tfrecords_tools.diagnosis import sample


def _kinds(findings):
  return [(kind, severity) for kind, _, severity in findings]


def _item(**values):
  fields = {
    'label': 2,
    'label_name': 'desk',
    'box': np.array([10.0, 20.0, 50.0, 60.0]),
    'mask': None,
    'mask_name': 'mask 0',
    'amodal_mask': None,
    'occluded_share': None,
    'cad_id': 'desk/a',
    'mesh': 'desk/a/model.ply',
    'rotation': np.eye(3),
    'translation': np.array([0.0, 0.0, 2.0]),
  }
  return sample.SampleObject(**{**fields, **values})


def _mask(top=10, left=20, bottom=50, right=60):
  mask = np.zeros((80, 100), bool)
  mask[top:bottom, left:right] = True
  return mask


def test_rotations():
  assert not annotation_checks.rotation(good_data.look(0.7))
  mirrored = np.diag([-1.0, 1.0, 1.0])
  [(kind, detail, severity)] = annotation_checks.rotation(mirrored)
  assert (kind, severity) == ('not_a_rotation', 'broken')
  assert 'determinant -1' in detail
  for bad in (1.1 * np.eye(3), np.full((3, 3), np.nan), np.zeros((3, 3))):
    assert _kinds(annotation_checks.rotation(bad)) == [
      ('not_a_rotation', 'broken')
    ]


@pytest.mark.parametrize(
  'values, severities',
  [
    ((100, 100, 50, 40), []),
    ((-100, 100, 50, 40), ['broken']),
    ((100, np.nan, 50, 40), ['broken']),
    ((100, 100, 150, 40), ['broken']),
    ((100, 200, 50, 40), ['warning']),
  ],
)
def test_intrinsics(values, severities):
  found = annotation_checks.intrinsics(np.array(values, float), 80, 100)
  assert _kinds(found) == [('intrinsics', x) for x in severities]


def test_behind_the_camera():
  assert not annotation_checks.place(np.array([0, 0, 1.0]))
  for z in (0.0, -1.0, np.nan):
    found = annotation_checks.place(np.array([0, 0, z]))
    assert _kinds(found) == [('behind_camera', 'broken')]


def test_classes():
  names = ('chair', 'desk')
  assert not annotation_checks.label(_item(), names)
  assert not annotation_checks.label(_item(label=None), names)
  for bad in (_item(label=1), _item(label_name='lamp')):
    found = annotation_checks.label(bad, names)
    assert _kinds(found) == [('unknown_class', 'broken')]
  ((_, detail, _),) = annotation_checks.label(_item(label_name='desks'), names)
  assert "Did you mean 'desk'?" in detail


def test_boxes():
  assert not annotation_checks.box(_item(), _mask(), None)
  # Of the amodal mask, as Scan2CAD's are; and off by rounding.
  assert not annotation_checks.box(_item(), _mask(right=40), _mask())
  assert not annotation_checks.box(_item(), _mask(11, 21, 49, 58), None)
  # 40 x 36 of 40 x 40: IoU 0.9.
  found = annotation_checks.box(_item(), _mask(right=56), None)
  assert _kinds(found) == [('box_mask_mismatch', 'warning')]
  for mask in (_mask(right=40), _mask(0, 0, 0, 0)):
    found = annotation_checks.box(_item(), mask, None)
    assert _kinds(found) == [('box_mask_mismatch', 'broken')]


def test_occlusion():
  half, whole = _mask(right=40), _mask()
  assert not annotation_checks.occlusion(_item(), half, whole)
  assert not annotation_checks.occlusion(_item(occluded_share=0.5), half, whole)
  for share, mask in ((0.2, half), (None, _mask(0, 20, 50, 60))):
    found = annotation_checks.occlusion(
      _item(occluded_share=share), mask, whole
    )
    assert _kinds(found) == [('occlusion', 'broken')]
