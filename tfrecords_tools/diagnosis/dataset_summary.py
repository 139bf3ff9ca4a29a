"""Numbers of a whole dataset: fit, classes, occlusion, coverage of poses."""

import collections
from typing import Any
from typing import Dict
from typing import List
from typing import Optional
from typing import Sequence

import numpy as np

from mask2cad_tf import conventions
from mask2cad_tf.geometry import rotations
from mask2cad_tf.geometry import view_medoids
from tfrecords_tools.diagnosis import measurements

COVERING_ANGLE = np.pi / 6
_MEDOID_SAMPLES = 400  # rotations of a class that medoids are looked for in
_OCCLUDED = 0.05  # share of the amodal mask


def summarise(
  facts: Sequence[measurements.Facts],
  medoids: Optional[Dict[str, np.ndarray]] = None,
) -> Dict[str, Any]:
  """The numbers of verdict.json.

  Args:
    facts: of all photos.
    medoids: rotations [k, 4] by class that poses should be close to; None
      clusters the dataset's own.

  Returns:
    JSON values: mask_iou, box_iou, photo_agreement, classes, occlusion,
    pose_coverage.
  """
  objects = [one for photo in facts for one in photo.objects]
  fits = [x.iou for x in objects if x.iou is not None and not x.is_partial]
  return {
    'objects': len(objects),
    'mask_iou': {
      **_spread(fits),
      'below_0.9': int(np.sum(np.array(fits) < 0.9)),
    },
    'box_iou': _spread([x.box_iou for x in objects if x.box_iou is not None]),
    'photo_agreement': _spread(
      [x.agreement for x in objects if x.agreement is not None]
    ),
    'classes': _classes(facts),
    'occlusion': _occlusion(objects),
    'pose_coverage': pose_coverage(objects, medoids),
  }


def pose_coverage(
  objects: Sequence[measurements.ObjectFacts],
  medoids: Optional[Dict[str, np.ndarray]] = None,
) -> Dict[str, Any]:
  """Share of each class's rotations within pi/6 of the nearest medoid.

  Args:
    objects: those without a rotation are passed over.
    medoids: as in `summarise`.

  Returns:
    Class -> {"poses", "within_pi_over_6", "median_degrees"}.
  """
  by_class = collections.defaultdict(list)
  for one in objects:
    if one.quaternion is not None:
      by_class[one.label_name].append(one.quaternion)
  table = {}
  for name in sorted(by_class):
    poses = np.stack(by_class[name])
    if medoids is None:
      bins = _own_medoids(poses)
    elif name in medoids:
      bins = medoids[name]
    else:
      continue
    nearest = rotations.geodesic_angle(
      poses[:, np.newaxis], bins[np.newaxis]
    ).min(axis=1)
    table[name] = {
      'poses': len(poses),
      'within_pi_over_6': _rounded(np.mean(nearest <= COVERING_ANGLE)),
      'median_degrees': _rounded(np.degrees(np.median(nearest)), 1),
    }
  return table


def _own_medoids(poses: np.ndarray) -> np.ndarray:
  step = max(1, len(poses) // _MEDOID_SAMPLES)
  found = view_medoids.k_medoids(
    poses[::step][:_MEDOID_SAMPLES], conventions.NUM_VIEWS, seed=0
  )
  return found.rotations[found.valid]


def _classes(facts: Sequence[measurements.Facts]) -> Dict[str, Any]:
  """Class -> photos, objects and CADs that show it."""
  photos, objects = collections.Counter(), collections.Counter()
  cads = collections.defaultdict(set)
  for photo in facts:
    photos.update({one.label_name for one in photo.objects})
    for one in photo.objects:
      objects[one.label_name] += 1
      cads[one.label_name].add(one.cad_id)
  total = max(sum(objects.values()), 1)
  return {
    name: {
      'photos': photos[name],
      'objects': objects[name],
      'share': _rounded(objects[name] / total),
      'cads': len(cads[name]),
    }
    for name in sorted(objects)
  }


def _occlusion(objects: List[measurements.ObjectFacts]) -> Dict[str, Any]:
  shares = [x.occluded_share for x in objects if x.occluded_share is not None]
  return {
    'annotated': len(shares),
    'occluded': _rounded(np.mean(np.array(shares) > _OCCLUDED))
    if shares
    else None,
    'median_share': _rounded(np.median(shares)) if shares else None,
    'truncated': _rounded(np.mean([x.truncated for x in objects]))
    if objects
    else None,
  }


def _spread(values: Sequence[float]) -> Dict[str, Any]:
  if not values:
    return {'count': 0, 'median': None, 'min': None}
  return {
    'count': len(values),
    'median': _rounded(np.median(values)),
    'min': _rounded(np.min(values)),
  }


def _rounded(value: Any, digits: int = 4) -> float:
  return round(float(value), digits)
