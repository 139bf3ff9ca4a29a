"""The paper's tables as tables.md and tables.json."""

import dataclasses
import json
import math
import os
from typing import Any
from typing import Dict
from typing import List
from typing import Mapping
from typing import Sequence

from mask2cad_tf.evaluation import ap_summary
from mask2cad_tf.evaluation import mesh_evaluator

JSON_FILE = 'tables.json'
MARKDOWN_FILE = 'tables.md'
FORMAT_VERSION = 1

# Order and abbreviations of Tables 1, 3 and 5; other classes follow.
_COLUMNS = {
  'chair': 'chair',
  'sofa': 'sofa',
  'table': 'table',
  'bed': 'bed',
  'desk': 'desk',
  'bookcase': 'bkcs',
  'wardrobe': 'wrdrb',
  'tool': 'tool',
  'misc': 'misc',
  'cabinet': 'cab',
  'bin': 'bin',
  'display': 'disp',
}
_PERCENT_KEYS = (
  'top1',
  'top5',
  'top10',
  'f1_at_true_pose',
  'accuracy',
  'mean_iou',
  'symmetric_accuracy',
  'retrieval_accuracy',
  'class_accuracy',
  'class_retrieval_accuracy',
  'ground_truth',
)


def tables(
  result: Mapping[str, Any], settings: Mapping[str, Any]
) -> Dict[str, Any]:
  """The content of tables.json.

  Args:
    result: `benchmark.Benchmark.result`.
    settings: what was evaluated and how; JSON values.

  Returns:
    AP, F1, top-k and accuracies in percent; Chamfer, normal consistency and
    voxel IoU as they are; angles in degrees; None where nothing is measured.
  """
  content = {
    'format_version': FORMAT_VERSION,
    'settings': dict(settings),
    'num_photos': result['num_photos'],
    'num_objects': result['num_objects'],
    'mesh_ap': _ap_by_mode(result['mesh_ap']),
    'box_ap': _ap(result['box_ap']),
    'mask_ap': _ap(result['mask_ap']),
    'oracle': {
      part: _ap_by_mode(by_mode) for part, by_mode in result['oracle'].items()
    },
    'true_boxes': {
      'surface': _in_percent(result['surface']),
      'canonical_shape': dict(result['canonical_shape']),
      'retrieval': _in_percent(result['retrieval']),
      'pose': _in_percent(result['pose']),
      'masks': _in_percent(result['masks']),
      'good_shapes': 100.0 * result['good_shapes'],
      'depth_error': 100.0 * result['depth_error'],
    },
    'first_detections': _in_percent(result['first_detections']),
    'alignment': _in_percent(result['alignment']),
  }
  return _without_nan(content)


def markdown(content: Mapping[str, Any]) -> str:
  """tables.json's content as Markdown, in the shapes of the paper's tables."""
  on_true_boxes = content['true_boxes']
  parts = [
    '# Evaluation',
    _settings(content),
    '## AP^mesh (Table 1)',
    _mesh_ap(content['mesh_ap']),
    '## AP^box and AP^mask',
    _detection_ap(content),
    '## The best detection of each photo',
    _first_detections(content['first_detections']),
    '## Masks on true boxes',
    _masks(on_true_boxes['masks']),
    '## Shapes on true boxes (Table 2)',
    _surface(on_true_boxes),
    '## Chairs in canonical pose (Table 4)',
    _canonical_shape(on_true_boxes['canonical_shape']),
    '## Retrieval on true boxes',
    _retrieval(on_true_boxes['retrieval']),
    '## Rotation on true boxes',
    _pose(on_true_boxes['pose']),
  ]
  if content['oracle']:
    parts += [
      '## Oracle: AP^mesh with a true part swapped in (Appendix A)',
      _oracle(content),
    ]
  if content['alignment']:
    parts += ['## Alignment in scans (Scan2CAD)', _alignment(content)]
  return '\n\n'.join(parts) + '\n'


def ordered(names: Sequence[str]) -> List[str]:
  """Class names in the order of the paper's tables; others follow."""
  order = list(_COLUMNS)
  return sorted(
    names, key=lambda name: order.index(name) if name in order else len(order)
  )


def write(output_dir: str, content: Mapping[str, Any]) -> None:
  """Writes both files, each atomically.

  Args:
    output_dir: made if it is not there.
    content: of `tables`.
  """
  os.makedirs(output_dir, exist_ok=True)
  _write_text(os.path.join(output_dir, MARKDOWN_FILE), markdown(content))
  _write_text(
    os.path.join(output_dir, JSON_FILE),
    json.dumps(content, indent=1, allow_nan=False) + '\n',
  )


def _write_text(path: str, text: str) -> None:
  temporary = f'{path}.tmp'
  with open(temporary, 'w', encoding='utf-8') as file:
    file.write(text)
  os.replace(temporary, path)


def _ap(summary: ap_summary.ApSummary) -> Dict[str, Any]:
  fields = dataclasses.asdict(summary)
  return {
    'AP': 100.0 * fields['ap'],
    'AP50': 100.0 * fields['ap50'],
    'AP75': 100.0 * fields['ap75'],
    **{
      key: {name: 100.0 * ap for name, ap in fields[key].items()}
      for key in ('per_class', 'per_class50')
    },
  }


def _ap_by_mode(by_mode: Mapping[str, ap_summary.ApSummary]) -> Dict[str, Any]:
  return {mode: _ap(summary) for mode, summary in by_mode.items()}


def _in_percent(scores: Mapping[str, Any]) -> Dict[str, Any]:
  """Shares and F1 times 100; the same within 'per_class', 'per_scene'."""
  converted: Dict[str, Any] = {}
  for key, value in scores.items():
    if key in ('per_class', 'per_scene'):
      converted[key] = {name: _in_percent(row) for name, row in value.items()}
    elif key in _PERCENT_KEYS or key.startswith('f1_'):
      converted[key] = 100.0 * value
    else:
      converted[key] = value
  return converted


def _without_nan(value: Any) -> Any:
  if isinstance(value, dict):
    return {key: _without_nan(item) for key, item in value.items()}
  return None if isinstance(value, float) and math.isnan(value) else value


def _settings(content: Mapping[str, Any]) -> str:
  counts = (
    f'{content["num_photos"]} photos, {content["num_objects"]} true objects.'
  )
  return '\n'.join(
    [counts, '']
    + [f'- {name}: {value}' for name, value in content['settings'].items()]
  )


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
  lines = [header, ['---'] * len(header), *rows]
  return '\n'.join(f'| {" | ".join(line)} |' for line in lines)


def _number(value: Any, digits: int = 1) -> str:
  return '-' if value is None else f'{value:.{digits}f}'


def _ap_table(first: str, rows: Mapping[str, Mapping[str, Any]]) -> str:
  names = ordered(list(next(iter(rows.values()))['per_class']))
  header = [
    first,
    'AP',
    'AP50',
    'AP75',
    *(_COLUMNS.get(name, name) for name in names),
  ]
  return _table(
    header,
    [
      [
        title,
        *(_number(row[key]) for key in ('AP', 'AP50', 'AP75')),
        *(_number(row['per_class'][name]) for name in names),
      ]
      for title, row in rows.items()
    ],
  )


def _mesh_ap(by_mode: Mapping[str, Any]) -> str:
  return _ap_table('mode', by_mode) + (
    '\n\n`meshrcnn` drops predictions whose box overlaps no true box by more '
    'than 0.3; in `strict` they are false positives.'
  )


def _detection_ap(content: Mapping[str, Any]) -> str:
  kinds = {'box': content['box_ap'], 'mask': content['mask_ap']}
  at_50 = {
    f'{kind} at 50': {**summary, 'per_class': summary['per_class50']}
    for kind, summary in kinds.items()
  }
  return _ap_table('', {**kinds, **at_50})


def _first_detections(counts: Mapping[str, Any]) -> str:
  if not counts:
    return 'No true objects.'
  photos = counts['num_photos']
  return _table(
    ['of photos', 'class and box right', 'box right', 'mean IoU of the first'],
    [
      [
        f'best detection, of {photos}',
        str(counts['first_right']),
        str(counts['first_box']),
        _number(counts['first_iou'], 3),
      ],
      [
        f'any of the ten best, of {photos}',
        str(counts['ten_right']),
        str(counts['ten_box']),
        '',
      ],
    ],
  )


def _masks(masks: Mapping[str, Any]) -> str:
  return _by_class(masks, {'mean_iou': 'mean IoU'})


def _surface(on_true_boxes: Mapping[str, Any]) -> str:
  surface = on_true_boxes['surface']
  if not surface:
    return 'No true objects.'
  thresholds = [key for key in surface if key.startswith('f1_')]
  return _table(
    [
      'Chamfer',
      'Normal',
      *(f'F1^{key[3:]}' for key in thresholds),
      'share with F1^0.3 > 0.5',
      'median error of z, %',
    ],
    [
      [
        _number(surface['chamfer'], 3),
        _number(surface['normal_consistency'], 3),
        *(_number(surface[key]) for key in thresholds),
        _number(on_true_boxes['good_shapes']),
        _number(on_true_boxes['depth_error']),
      ]
    ],
  )


def _canonical_shape(shape: Mapping[str, Any]) -> str:
  return _table(
    ['chairs', 'IoU', 'Chamfer'],
    [
      [
        str(shape['num_objects']),
        _number(shape['iou'], 3),
        _number(shape['chamfer'], 3),
      ]
    ],
  )


def _by_class(scores: Mapping[str, Any], columns: Mapping[str, str]) -> str:
  """A row for all objects and one a class; `columns` are key -> title."""
  rows = {
    'all': scores,
    **{
      name: scores['per_class'][name]
      for name in ordered(list(scores['per_class']))
    },
  }
  return _table(
    ['class', 'objects', *columns.values()],
    [
      [name, str(row['num_objects']), *(_number(row[key]) for key in columns)]
      for name, row in rows.items()
    ],
  )


def _retrieval(retrieval: Mapping[str, Any]) -> str:
  return _by_class(
    retrieval,
    {
      'top1': 'top-1',
      'top5': 'top-5',
      'top10': 'top-10',
      'f1_at_true_pose': 'F1^0.3 at the true pose',
    },
  )


def _pose(pose: Mapping[str, Any]) -> str:
  return _by_class(
    pose,
    {
      'median_degrees': 'median, degrees',
      'accuracy': 'within pi/6',
      'symmetric_median_degrees': 'median, symmetry-aware',
      'symmetric_accuracy': 'within pi/6, symmetry-aware',
    },
  )


def _oracle(content: Mapping[str, Any]) -> str:
  rows = {'nothing': content['mesh_ap'], **content['oracle']}
  header = ['true part']
  for mode in mesh_evaluator.MODES:
    header += [f'AP {mode}', 'gain']
  lines = []
  for part, by_mode in rows.items():
    line = [part]
    for mode in mesh_evaluator.MODES:
      value, base = by_mode[mode]['AP'], content['mesh_ap'][mode]['AP']
      line += [
        _number(value),
        '' if part == 'nothing' or value is None else f'{value - base:+.1f}',
      ]
    lines.append(line)
  return _table(header, lines)


def _alignment(content: Mapping[str, Any]) -> str:
  scores = content['alignment']
  averages = {
    'all objects': scores,
    'mean of classes': {
      'num_objects': scores['num_objects'],
      'accuracy': scores['class_accuracy'],
      'retrieval_accuracy': scores['class_retrieval_accuracy'],
    },
  }
  classes = {
    name: scores['per_class'][name]
    for name in ordered(list(scores['per_class']))
  }
  rows = [
    [
      name,
      str(row['num_objects']),
      _number(row['accuracy']),
      _number(row['retrieval_accuracy']),
    ]
    for name, row in {**averages, **classes, **scores['per_scene']}.items()
  ]
  return (
    _table(['', 'objects', 'accuracy', 'with the right CAD'], rows)
    + '\n\nRight: within 0.2 m, 20 degrees and 20 % of scale, the predictions '
    'of all frames merged. The true objects themselves reach '
    f'{_number(scores["ground_truth"])}.'
  )
