import json
import math

import pytest

from mask2cad_tf.evaluation import ap_summary
from mask2cad_tf.evaluation import report

_NAN = float('nan')


def _summary(ap):
  return ap_summary.ApSummary(
    ap,
    ap + 0.1,
    ap - 0.1,
    {'bed': ap, 'chair': 0.5, 'wardrobe': _NAN},
    {'bed': ap + 0.05, 'chair': 0.75, 'wardrobe': _NAN},
  )


def _by_mode(ap):
  return {'meshrcnn': _summary(ap), 'strict': _summary(ap / 2)}


def _result(oracle=True):
  ranks = {
    'top1': 0.25,
    'top5': 0.5,
    'top10': 0.75,
    'f1_at_true_pose': 0.7,
    'num_objects': 4,
  }
  pose = {
    'median_degrees': 12.0,
    'accuracy': 0.5,
    'symmetric_median_degrees': 6.0,
    'symmetric_accuracy': 1.0,
    'num_objects': 4,
  }
  return {
    'num_photos': 3,
    'num_objects': 4,
    'mesh_ap': _by_mode(0.332),
    'box_ap': _summary(0.9),
    'mask_ap': _summary(0.8),
    'oracle': {'shape': _by_mode(0.478)} if oracle else {},
    'surface': {
      'chamfer': 0.99,
      'normal_consistency': 0.74,
      'f1_0.1': 0.256,
      'f1_0.3': 0.664,
      'num_objects': 4,
    },
    'canonical_shape': {'iou': 0.613, 'chamfer': _NAN, 'num_objects': 1},
    'retrieval': {**ranks, 'per_class': {'chair': ranks}},
    'pose': {**pose, 'per_class': {'chair': pose}},
    'masks': {
      'mean_iou': 0.8,
      'num_objects': 4,
      'per_class': {
        'bed': {'mean_iou': 0.9, 'num_objects': 1},
        'chair': {'mean_iou': 0.7667, 'num_objects': 3},
      },
    },
    'good_shapes': 0.75,
    'depth_error': 0.0123,
    'first_detections': {
      'num_photos': 3,
      'first_right': 1,
      'first_box': 2,
      'ten_right': 2,
      'ten_box': 3,
      'first_iou': 0.6789,
    },
    'alignment': {},
  }


def _rows(markdown, title):
  """The cells of the table under a heading, header first."""
  lines = markdown.split(f'## {title}')[1].split('##')[0].splitlines()
  rows = [line for line in lines if line.startswith('|')]
  return [[cell.strip() for cell in row.strip('|').split('|')] for row in rows]


def test_json_has_percents_and_no_nan():
  content = report.tables(_result(), {'depth_mode': 'origin'})
  assert content['mesh_ap']['meshrcnn']['AP'] == pytest.approx(33.2)
  assert content['mesh_ap']['strict']['AP50'] == pytest.approx(26.6)
  assert content['mask_ap']['AP75'] == pytest.approx(70.0)
  assert content['mesh_ap']['meshrcnn']['per_class']['wardrobe'] is None
  true_boxes = content['true_boxes']
  assert true_boxes['surface']['f1_0.1'] == pytest.approx(25.6)
  assert true_boxes['surface']['chamfer'] == 0.99
  assert true_boxes['canonical_shape']['chamfer'] is None
  assert true_boxes['retrieval']['per_class']['chair']['top5'] == 50.0
  assert true_boxes['pose']['symmetric_accuracy'] == 100.0
  assert true_boxes['pose']['median_degrees'] == 12.0
  assert true_boxes['masks']['mean_iou'] == 80.0
  assert true_boxes['masks']['per_class']['bed']['mean_iou'] == 90.0
  assert true_boxes['good_shapes'] == 75.0
  assert true_boxes['depth_error'] == pytest.approx(1.23)
  assert content['first_detections'] == _result()['first_detections']
  json.dumps(content, allow_nan=False)


def test_table_1_in_the_papers_order():
  text = report.markdown(report.tables(_result(), {}))
  header, _, meshrcnn, strict = _rows(text, 'AP^mesh (Table 1)')
  assert header == ['mode', 'AP', 'AP50', 'AP75', 'chair', 'bed', 'wrdrb']
  assert meshrcnn == ['meshrcnn', '33.2', '43.2', '23.2', '50.0', '33.2', '-']
  assert strict[:2] == ['strict', '16.6']


def test_oracle_gains():
  text = report.markdown(report.tables(_result(), {}))
  _, _, nothing, shape = _rows(
    text, 'Oracle: AP^mesh with a true part swapped in (Appendix A)'
  )
  assert nothing == ['nothing', '33.2', '', '16.6', '']
  # 47.8 - 33.2 and 23.9 - 16.6.
  assert shape == ['shape', '47.8', '+14.6', '23.9', '+7.3']


def test_no_oracle_no_section():
  assert 'Oracle' not in report.markdown(report.tables(_result(False), {}))


def test_other_tables():
  text = report.markdown(report.tables(_result(), {'depth_mode': 'origin'}))
  assert '- depth_mode: origin' in text
  assert '3 photos, 4 true objects.' in text
  assert _rows(text, 'Shapes on true boxes (Table 2)')[::2] == [
    [
      'Chamfer',
      'Normal',
      'F1^0.1',
      'F1^0.3',
      'share with F1^0.3 > 0.5',
      'median error of z, %',
    ],
    ['0.990', '0.740', '25.6', '66.4', '75.0', '1.2'],
  ]
  assert _rows(text, 'Chairs in canonical pose (Table 4)')[2] == [
    '1',
    '0.613',
    '-',
  ]
  retrieval = _rows(text, 'Retrieval on true boxes')
  assert [row[0] for row in retrieval[2:]] == ['all', 'chair']
  assert retrieval[2][1:] == ['4', '25.0', '50.0', '75.0', '70.0']
  assert _rows(text, 'Rotation on true boxes')[3][1:] == [
    '4',
    '12.0',
    '50.0',
    '6.0',
    '100.0',
  ]


def test_boxes_and_masks_by_class_over_all_levels_and_at_50():
  text = report.markdown(report.tables(_result(), {}))
  rows = _rows(text, 'AP^box and AP^mask')[2:]
  assert [row[0] for row in rows] == ['box', 'mask', 'box at 50', 'mask at 50']
  assert rows[0][4:] == ['50.0', '90.0', '-']
  assert rows[2][4:] == ['75.0', '95.0', '-']


def test_first_detections_and_masks():
  text = report.markdown(report.tables(_result(), {}))
  # Counts of photos, not percent.
  assert _rows(text, 'The best detection of each photo')[2:] == [
    ['best detection, of 3', '1', '2', '0.679'],
    ['any of the ten best, of 3', '2', '3', ''],
  ]
  assert _rows(text, 'Masks on true boxes') == [
    ['class', 'objects', 'mean IoU'],
    ['---'] * 3,
    ['all', '4', '80.0'],
    ['chair', '3', '76.7'],
    ['bed', '1', '90.0'],
  ]


def test_rows_are_as_wide_as_their_header():
  text = report.markdown(report.tables(_result(), {}))
  tables = text.split('\n\n')
  for table in (t for t in tables if t.startswith('|')):
    widths = {line.count('|') for line in table.splitlines()}
    assert len(widths) == 1


def test_nothing_measured_still_prints():
  result = _result()
  result['surface'] = {}
  result['first_detections'] = {}
  result['good_shapes'] = result['depth_error'] = _NAN
  result['masks'] = {'mean_iou': _NAN, 'num_objects': 0, 'per_class': {}}
  result['oracle'] = {'shape': _by_mode(_NAN)}
  result['mesh_ap'] = _by_mode(_NAN)
  text = report.markdown(report.tables(result, {}))
  assert text.count('No true objects.') == 2
  assert _rows(text, 'Masks on true boxes')[2:] == [['all', '0', '-']]
  assert 'nan' not in text


def test_written_files_are_whole_and_replace_the_old(tmp_path):
  folder = tmp_path / 'new' / 'tables'
  content = report.tables(_result(), {})
  report.write(str(folder), {**content, 'num_photos': 99})
  report.write(str(folder), content)
  assert sorted(path.name for path in folder.iterdir()) == [
    'tables.json',
    'tables.md',
  ]
  assert json.loads((folder / 'tables.json').read_text()) == content
  assert (folder / 'tables.md').read_text() == report.markdown(content)


def test_a_failure_leaves_the_old_file(tmp_path):
  report.write(str(tmp_path), report.tables(_result(), {}))
  before = (tmp_path / 'tables.json').read_bytes()
  broken = report.tables(_result(), {})
  broken['num_photos'] = math.inf
  with pytest.raises(ValueError):
    report.write(str(tmp_path), broken)
  assert (tmp_path / 'tables.json').read_bytes() == before


def test_alignment_only_of_scans():
  row = {'accuracy': 0.5, 'retrieval_accuracy': 0.25, 'num_objects': 4}
  result = _result()
  result['alignment'] = {
    **row,
    'num_scenes': 1,
    'class_accuracy': 0.6,
    'class_retrieval_accuracy': 0.3,
    'ground_truth': 1.0,
    'per_class': {'chair': row},
    'per_scene': {'scene0000_00': row},
  }
  content = report.tables(result, {})
  assert content['alignment']['class_accuracy'] == 60.0
  text = report.markdown(content)
  assert _rows(text, 'Alignment in scans')[2:] == [
    ['all objects', '4', '50.0', '25.0'],
    ['mean of classes', '4', '60.0', '30.0'],
    ['chair', '4', '50.0', '25.0'],
    ['scene0000_00', '4', '50.0', '25.0'],
  ]
  assert 'reach 100.0.' in text
  assert 'Alignment' not in report.markdown(report.tables(_result(), {}))
