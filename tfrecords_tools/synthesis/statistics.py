"""What a record set holds, in numbers."""

import collections
from typing import Any
from typing import Dict
from typing import List
from typing import Sequence

import numpy as np
import tensorflow as tf

from mask2cad_tf.data import record_files
from mask2cad_tf.data import schema
from mask2cad_tf.geometry import rotations

_LEVELS = (0, 10, 25, 50, 75, 90, 100)  # percentiles


def summarise(pattern: str) -> Dict[str, Any]:
  """Reads a record set once.

  Args:
    pattern: glob of image records.

  Returns:
    JSON: 'photos', 'objects', 'objects_per_photo' and 'modes' (the folder of
    the file name) by count, 'classes' with photos, objects and different CADs,
    'truncated' and 'occluded' shares, and percentiles of 'box_area' (share of
    the picture), 'occluded_share', 'focal' (picture widths), 'elevation' and
    'azimuth' (degrees, of the camera seen from the CAD, front -z = 0).

  Raises:
    FileNotFoundError: if nothing matches.
  """
  counts = collections.Counter()
  per_photo, modes = collections.Counter(), collections.Counter()
  classes: Dict[str, Dict[str, Any]] = {}
  values: Dict[str, List[float]] = collections.defaultdict(list)
  for record in record_files.read(record_files.match(pattern)):
    feature = tf.train.Example.FromString(record).features.feature
    names = [x.decode() for x in feature[schema.CLASS_TEXT].bytes_list.value]
    counts['photos'] += 1
    counts['objects'] += len(names)
    per_photo[str(len(names))] += 1
    name = feature[schema.IMAGE_FILENAME].bytes_list.value[0].decode()
    modes[name.split('/')[0] if '/' in name else ''] += 1
    _count_classes(classes, names, feature)
    for key in (schema.TRUNCATED, schema.OCCLUDED):
      counts[key.rsplit('/', 1)[1]] += sum(feature[key].int64_list.value)
    _collect(values, feature)
  for entry in classes.values():
    entry['cads'] = len(entry['cads'])
  objects = max(counts['objects'], 1)
  return {
    'photos': counts['photos'],
    'objects': counts['objects'],
    'objects_per_photo': dict(sorted(per_photo.items())),
    'modes': dict(sorted(modes.items())),
    'classes': dict(sorted(classes.items())),
    'truncated': round(counts['truncated'] / objects, 4),
    'occluded': round(counts['occluded'] / objects, 4),
    'percentiles': list(_LEVELS),
    **{key: _percentiles(items) for key, items in sorted(values.items())},
  }


def _count_classes(classes, names: Sequence[str], feature) -> None:
  for name in set(names):
    entry = classes.setdefault(name, {'photos': 0, 'objects': 0, 'cads': set()})
    entry['photos'] += 1
  for name, cad in zip(names, feature[schema.CAD_ID].bytes_list.value):
    classes[name]['objects'] += 1
    classes[name]['cads'].add(cad)


def _collect(values, feature) -> None:
  """Appends the photo's numbers."""
  width = feature[schema.IMAGE_WIDTH].int64_list.value[0]
  focal = feature[schema.INTRINSICS].float_list.value[0]
  values['focal'].append(focal / width)
  ymin, xmin, ymax, xmax = (
    np.array(feature[key].float_list.value)
    for key in (
      schema.BOX_YMIN,
      schema.BOX_XMIN,
      schema.BOX_YMAX,
      schema.BOX_XMAX,
    )
  )
  values['box_area'].extend((ymax - ymin) * (xmax - xmin))
  values['occluded_share'].extend(
    feature[schema.OCCLUDED_SHARE].float_list.value
  )
  quaternions = np.array(feature[schema.ROTATION].float_list.value)
  places = np.array(feature[schema.TRANSLATION].float_list.value)
  if not len(places):
    return
  matrices = rotations.matrix_from_quaternion(quaternions.reshape(-1, 4))
  cameras = -np.einsum('nij,ni->nj', matrices, places.reshape(-1, 3))
  cameras /= np.linalg.norm(cameras, axis=1, keepdims=True)
  values['elevation'].extend(np.degrees(np.arcsin(cameras[:, 1])))
  values['azimuth'].extend(
    np.degrees(np.arctan2(cameras[:, 0], -cameras[:, 2]))
  )


def _percentiles(items: Sequence[float]) -> List[float]:
  if not items:
    return []
  return [round(float(x), 4) for x in np.percentile(items, _LEVELS)]
