"""From the facts of all photos to a list of problems."""

import dataclasses
from typing import Any
from typing import Dict
from typing import List
from typing import Optional
from typing import Sequence
from typing import Tuple

import numpy as np

from tfrecords_tools.diagnosis import dataset as dataset_lib
from tfrecords_tools.diagnosis import duplicate_shapes
from tfrecords_tools.diagnosis import examination
from tfrecords_tools.diagnosis import explanations
from tfrecords_tools.diagnosis import mask_overlap
from tfrecords_tools.diagnosis import measurements
from tfrecords_tools.diagnosis import other_cads
from tfrecords_tools.diagnosis import photo_hash
from tfrecords_tools.diagnosis import problem
from tfrecords_tools.diagnosis import projections
from tfrecords_tools.diagnosis import sample as sample_lib
from tfrecords_tools.diagnosis import swapped_masks

_HOPELESS = 0.5  # IoU below which an unexplained object is broken
# Chosen after looking at 43 real photos, on which nothing else tests them.
_BAD_BOX = 0.93  # IoU of the silhouette's box and the annotated one
_BAD_AGREEMENT = 0.10  # with the photo's edges
_SEARCHES = 40  # objects for which the library is searched


def find_problems(
  facts: Sequence[measurements.Facts],
  dataset: dataset_lib.Dataset,
  projector: projections.Projector,
) -> List[problem.Problem]:
  """Problems of a dataset, worst first.

  Args:
    facts: of its photos.
    dataset: to read single photos again.
    projector: of its library.

  Returns:
    Broken things before warnings; each object's misfit has one kind.
  """
  problems = list(dataset.problems)
  problems += [one for photo in facts for one in photo.problems]
  places = {photo.index: photo.place for photo in facts}
  objects = [one for photo in facts for one in photo.objects]
  misfits = _swapped(objects, places)
  misfits.update(_explained(objects, places, misfits))
  misfits.update(_other_cads(objects, places, misfits, dataset, projector))
  misfits.update(_misaligned(objects, places, misfits))
  # A box that misses a swapped mask, or a mirroring matrix, is no news.
  swapped = {x.where for x in misfits.values() if x.kind == 'masks_swapped'}
  problems = [
    one
    for one in problems
    if not (one.kind == 'box_mask_mismatch' and one.where in swapped)
  ]
  problems += misfits.values()
  return sorted(problems, key=lambda x: x.severity != problem.BROKEN)


def find_duplicates(
  facts: Sequence[measurements.Facts],
  dataset: dataset_lib.Dataset,
  train_facts: Sequence[measurements.Facts],
  train: dataset_lib.Dataset,
) -> List[problem.Problem]:
  """Photos and shapes of a dataset that its training data has, too.

  Args:
    facts: of the dataset's photos.
    dataset: the dataset.
    train_facts: of the training photos; names and fingerprints are used.
    train: the training data.

  Returns:
    'duplicate_photo' and 'duplicate_shape'.
  """
  ours = [x for x in facts if x.fingerprint is not None]
  theirs = [x for x in train_facts if x.fingerprint is not None]
  problems = [
    problem.Problem(
      'duplicate_photo',
      ours[i].name,
      f'The photo is also a training photo, {theirs[j].name} '
      f'({theirs[j].place}). Remove one of them.',
      place=ours[i].place,
    )
    for i, j in photo_hash.copies(
      [x.fingerprint for x in ours], [x.fingerprint for x in theirs]
    )
  ]
  pairs = duplicate_shapes.find(
    _cads(facts), _cads(train_facts), dataset.library, train.library
  )
  return problems + [
    problem.Problem(
      'duplicate_shape',
      ours_id,
      f'The CAD is the same shape as {their_id} of the training data. Give '
      'both one id where shapes should be known, or remove one where they '
      'should be new.',
      problem.WARNING,
    )
    for ours_id, their_id in pairs
  ]


def _cads(facts: Sequence[measurements.Facts]) -> Dict[str, str]:
  return {one.cad_id: one.mesh for photo in facts for one in photo.objects}


def _swapped(objects, places) -> Dict[str, problem.Problem]:
  found = {}
  for i, j, iou in swapped_masks.find(objects):
    explained = [
      objects[k].explanation.iou for k in (i, j) if objects[k].explanation
    ]
    if len(explained) == 2 and min(explained) > iou + 0.05:
      continue
    for one, other in ((objects[i], objects[j]), (objects[j], objects[i])):
      found[one.where] = problem.Problem(
        'masks_swapped',
        one.where,
        f'Its mask fits the CAD of {other.where} (IoU {iou:.2f}), and that '
        f"one's mask fits this CAD; its own fits with {one.iou:.2f}. "
        'Exchange the masks.',
        place=places[one.sample],
      )
  return found


def _explained(objects, places, known) -> Dict[str, problem.Problem]:
  return {
    one.where: problem.Problem(
      one.explanation.kind,
      one.where,
      f'{one.explanation.detail} IoU {one.iou:.2f} -> '
      f'{one.explanation.iou:.2f}.',
      place=places[one.sample],
    )
    for one in objects
    if one.explanation and one.where not in known
  }


def _other_cads(
  objects, places, known, dataset, projector
) -> Dict[str, problem.Problem]:
  suspects = sorted(
    (
      one
      for one in objects
      if one.mask_signature is not None and one.where not in known
    ),
    key=lambda one: one.iou,
  )[:_SEARCHES]
  if not suspects:
    return {}
  library = other_cads.OtherCads(dataset.library, projector)
  found = {}
  for one in suspects:
    target, pose, scale = _target(dataset, one)
    better = library.best(
      target, pose, one.label_name, one.mesh, scale, one.iou
    )
    if better:
      found[one.where] = problem.Problem(
        'wrong_cad',
        one.where,
        f'{better.cad_id} fits the mask at this pose with IoU '
        f'{better.iou:.2f}, the annotated {one.cad_id} with {one.iou:.2f}.',
        place=places[one.sample],
      )
  return found


def _target(dataset, one):
  """Mask, pose and scale of an object, read again."""
  sample = dataset.read(one.sample)
  item = sample.objects[one.number]
  encoded = item.mask if item.amodal_mask is None else item.amodal_mask
  mask = sample_lib.decode_mask(encoded)
  known = np.ones_like(mask)
  if item.amodal_mask is None:
    for number, other in enumerate(sample.objects):
      if number != one.number and other.mask is not None:
        known &= ~_decoded(other.mask, mask.shape)
  view = projections.View(sample.intrinsics, *mask.shape)
  return (
    explanations.Target(mask, known | mask, view),
    projections.Pose(item.rotation, item.translation),
    item.scale,
  )


def _decoded(encoded: bytes, shape: Tuple[int, int]) -> np.ndarray:
  """A mask; empty where it does not decode, which is reported elsewhere."""
  try:
    return mask_overlap.shrink(sample_lib.decode_mask(encoded), *shape)
  except sample_lib.ImageError:
    return np.zeros(shape, bool)


def _misaligned(objects, places, known) -> Dict[str, problem.Problem]:
  """What fits badly without a reason that we know, worst first."""
  found = {}
  for one in sorted(objects, key=lambda x: x.fit):
    detail = _misfit(one)
    if one.where in known or detail is None:
      continue
    hopeless = one.iou is not None and one.iou < _HOPELESS
    found[one.where] = problem.Problem(
      'wrong_cad' if hopeless and not one.is_partial else 'misaligned',
      one.where,
      detail,
      problem.BROKEN if hopeless else problem.WARNING,
      places[one.sample],
    )
  return found


def _misfit(one: measurements.ObjectFacts) -> Optional[str]:
  """What fits badly; None where all fits."""
  cad = one.cad_id
  if one.iou is not None and one.iou < _HOPELESS:
    return (
      f'{cad} at its pose has nothing to do with the mask: IoU {one.iou:.2f}. '
      'No other CAD of the class and no usual mistake of the pose explains '
      'it: look at the CAD, the pose and the mask.'
    )
  if one.iou is not None and one.iou < examination.GOOD_IOU:
    what = 'share of the mask on it' if one.is_partial else 'IoU'
    return f'{cad} at its pose does not cover the mask: {what} {one.iou:.2f}.'
  if one.box_iou is not None and one.box_iou < _BAD_BOX:
    return (
      f'{cad} at its pose does not fill the annotated box: IoU '
      f'{one.box_iou:.2f}.'
    )
  if one.agreement is not None and one.agreement < _BAD_AGREEMENT:
    return (
      f'The outline of {cad} at its pose is not seen in the photo: agreement '
      f'with its edges {one.agreement:.2f} (1 is best, 0 is chance).'
    )
  return None


def to_json(
  facts: Sequence[measurements.Facts],
  problems: Sequence[problem.Problem],
  summary: Dict[str, Any],
) -> Dict[str, Any]:
  """verdict.json: {"ok", "checked", "problems", ...}."""
  return {
    'ok': not any(one.severity == problem.BROKEN for one in problems),
    'checked': len(facts),
    **summary,
    'problems': [dataclasses.asdict(one) for one in problems],
  }
