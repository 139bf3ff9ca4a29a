"""Everything that one photo alone can show, as small, picklable facts."""

import dataclasses
from typing import List
from typing import Optional
from typing import Sequence
from typing import Tuple

import numpy as np
from PIL import Image

from mask2cad_tf.geometry import cameras
from mask2cad_tf.geometry import meshes
from mask2cad_tf.geometry import renderer
from mask2cad_tf.geometry import rotations
from tfrecords_tools.diagnosis import annotation_checks
from tfrecords_tools.diagnosis import explanations
from tfrecords_tools.diagnosis import mask_overlap
from tfrecords_tools.diagnosis import measurements
from tfrecords_tools.diagnosis import photo_agreement
from tfrecords_tools.diagnosis import photo_hash
from tfrecords_tools.diagnosis import problem
from tfrecords_tools.diagnosis import projections
from tfrecords_tools.diagnosis import sample as sample_lib

GOOD_IOU = 0.9  # an object below it is looked into
_MAX_SIDE = 640  # pixels, of the pictures in which masks are compared


def glance(index: int, sample: sample_lib.Sample) -> measurements.Facts:
  """Names and fingerprint of a photo: what a search for copies needs."""
  try:
    photo = sample_lib.decode_image(sample.encoded or b'')
  except sample_lib.ImageError:
    photo = None
  return measurements.Facts(
    index,
    sample.name,
    sample.place,
    sample.size,
    (),
    tuple(
      _named(index, sample, number) for number in range(len(sample.objects))
    ),
    photo_hash.fingerprint(photo) if photo else None,
  )


class Examiner:
  """Looks at one photo after the other; one per process."""

  def __init__(
    self,
    projector: projections.Projector,
    class_names: Sequence[str],
    rotation_frame: str = 'allocentric',
  ):
    """Keeps what is needed.

    Args:
      projector: of the library.
      class_names: known classes; ids are 1 + index.
      rotation_frame: 'allocentric' or 'camera', of the facts' quaternions.
    """
    self.projector = projector
    self.class_names = tuple(class_names)
    self.rotation_frame = rotation_frame

  def examine(
    self, index: int, sample: sample_lib.Sample, with_photo: bool = True
  ) -> measurements.Facts:
    """All that one photo alone shows; raises nothing for bad data.

    Args:
      index: its number in the dataset.
      sample: the photo.
      with_photo: measure the agreement with the photo's edges, too.

    Returns:
      The facts.
    """
    problems: List[problem.Problem] = []

    def add(where: str, findings: Sequence[annotation_checks.Finding]) -> None:
      problems.extend(
        problem.Problem(kind, where, detail, severity, sample.place)
        for kind, detail, severity in findings
      )

    photo = self._photo(sample, add)
    size = (photo.height, photo.width) if photo else sample.size
    facts: List[measurements.ObjectFacts] = []
    if size:
      view_findings = annotation_checks.intrinsics(sample.intrinsics, *size)
      add(sample.name, view_findings)
      fatal = any(x[2] == problem.BROKEN for x in view_findings)
      view = None if fatal else projections.View(sample.intrinsics, *size)
      facts = _SampleExamination(self, index, sample, view, add).objects(
        photo if with_photo else None, size
      )
    return measurements.Facts(
      index,
      sample.name,
      sample.place,
      size,
      tuple(problems),
      tuple(facts),
      photo_hash.fingerprint(photo) if photo else None,
    )

  def _photo(self, sample, add) -> Optional[Image.Image]:
    if sample.encoded is None:
      add(
        sample.name,
        [('missing_image', 'There is no such photo.', problem.BROKEN)],
      )
      return None
    try:
      photo = sample_lib.decode_image(sample.encoded)
    except sample_lib.ImageError as error:
      kind = (
        'truncated_image'
        if isinstance(error, sample_lib.TruncatedImageError)
        else 'undecodable_image'
      )
      add(
        sample.name,
        [
          (
            kind,
            f'The photo does not decode ({error}). Fetch it again.',
            problem.BROKEN,
          )
        ],
      )
      return None
    if sample.size and sample.size != (photo.height, photo.width):
      add(
        sample.name,
        [
          (
            'image_size',
            f'The photo has {photo.width} x {photo.height} pixels, the '
            f'annotation says {sample.size[1]} x {sample.size[0]}.',
            problem.BROKEN,
          )
        ],
      )
    return photo


@dataclasses.dataclass(eq=False)
class _Drawn:
  """An object whose annotation can be drawn."""

  number: int
  item: sample_lib.SampleObject
  drawer: renderer.Renderer
  pose: projections.Pose
  mask: np.ndarray  # of the size of the comparison
  amodal: Optional[np.ndarray]


class _SampleExamination:
  """The objects of one photo."""

  def __init__(self, examiner, index, sample, view, add):
    self._examiner = examiner
    self._index = index
    self._sample = sample
    self._view = view
    self._add = add

  def objects(
    self, photo: Optional[Image.Image], size: Tuple[int, int]
  ) -> List[measurements.ObjectFacts]:
    facts, drawn = [], []
    for number, item in enumerate(self._sample.objects):
      facts.append(_named(self._index, self._sample, number))
      one = self._check(number, item, size)
      if one is not None:
        drawn.append(one)
    for one in drawn:
      facts[one.number] = self._compare(facts[one.number], one, drawn, photo)
    return facts

  def _check(self, number, item, size) -> Optional[_Drawn]:
    """The object ready to be drawn; None where its annotation is broken."""
    where = _where(self._sample, number)
    self._add(where, annotation_checks.label(item, self._examiner.class_names))
    bad_pose = annotation_checks.rotation(item.rotation)
    bad_place = annotation_checks.place(item.translation)
    self._add(where, bad_pose + bad_place)
    mask = self._mask(where, item.mask, item.mask_name, size)
    amodal = (
      None
      if item.amodal_mask is None
      else self._mask(where, item.amodal_mask, f'amodal {item.mask_name}', size)
    )
    if mask is not None:
      self._add(where, annotation_checks.box(item, mask, amodal))
      if amodal is not None:
        self._add(where, annotation_checks.occlusion(item, mask, amodal))
    drawer = self._drawer(where, item)
    view = self._view
    drawable = (
      drawer is not None
      and mask is not None
      and view is not None
      and not bad_place
      and np.isfinite(item.rotation).all()
      and (not bad_pose or abs(np.linalg.det(item.rotation) + 1.0) < 1e-2)
    )
    if not drawable:
      return None
    small = view.shrunk(_MAX_SIDE)
    size = (small.height, small.width)
    return _Drawn(
      number,
      item,
      drawer,
      projections.Pose(item.rotation, item.translation),
      mask_overlap.shrink(mask, *size),
      None if amodal is None else mask_overlap.shrink(amodal, *size),
    )

  def _mask(self, where, encoded, name, size) -> Optional[np.ndarray]:
    if encoded is None:
      detail = f'There is no {name!r}.'
    else:
      try:
        mask = sample_lib.decode_mask(encoded)
      except sample_lib.ImageError as error:
        detail = f'{name!r} does not decode ({error}).'
      else:
        if mask.shape == tuple(size):
          return mask
        detail = (
          f'{name!r} has {mask.shape[1]} x {mask.shape[0]} pixels, the photo '
          f'{size[1]} x {size[0]}: it is of another photo, or of another size '
          'of this one.'
        )
        self._add(where, [('mask_size', detail, problem.BROKEN)])
        return None
    self._add(where, [('broken_mask', detail, problem.BROKEN)])
    return None

  def _drawer(self, where, item) -> Optional[renderer.Renderer]:
    try:
      return self._examiner.projector.renderer(item.mesh, item.scale)
    except meshes.MeshError as error:
      kind = 'missing_mesh' if 'No mesh at' in str(error) else 'broken_mesh'
      self._add(where, [(kind, str(error), problem.BROKEN)])
      return None

  def _compare(self, facts, one, drawn, photo) -> measurements.ObjectFacts:
    view = self._view.shrunk(_MAX_SIDE)
    silhouette = projections.silhouette(one.drawer, one.pose, view)
    others = [other for other in drawn if other is not one]
    seen = silhouette
    if one.amodal is None and others:
      seen = silhouette & ~_hidden(one, others, view)
    truth = one.mask if one.amodal is None else one.amodal
    is_partial = one.amodal is None and one.item.occluded and not others
    iou = mask_overlap.iou(truth, seen)
    if is_partial:  # how much of it lies on the CAD is all that can be said
      iou = np.count_nonzero(truth & seen) / max(np.count_nonzero(truth), 1)
    changes = {
      'iou': float(iou),
      'box_iou': self._box_iou(one, silhouette, seen, view),
      'quaternion': self._quaternion(one),
      'is_partial': is_partial,
    }
    if photo is not None:
      agreement = photo_agreement.measure(
        photo, one.drawer, one.pose, self._view
      )
      changes['agreement'] = agreement.score if agreement else None
    if iou < GOOD_IOU and not is_partial:
      known = np.ones_like(truth)
      if one.amodal is None:
        for other in others:
          known &= ~other.mask
      target = explanations.Target(truth, known | truth, view)
      changes['explanation'] = explanations.explain(
        target, one.drawer, one.pose
      )
      changes['mask_signature'] = mask_overlap.signature(truth)
      changes['silhouette_signature'] = mask_overlap.signature(silhouette)
    return dataclasses.replace(facts, **changes)

  def _box_iou(self, one, silhouette, seen, view) -> Optional[float]:
    """Annotated box against the extents of the CAD, the better of the two."""
    to_view = np.tile(
      [view.height / self._view.height, view.width / self._view.width], 2
    )
    extents = [mask_overlap.box(x) for x in (silhouette, seen)]
    found = [
      mask_overlap.box_iou(one.item.box * to_view, extent)
      for extent in extents
      if extent is not None
    ]
    if not found or one.item.occluded and one.amodal is None:
      return None
    if one.amodal is not None:
      # The box is of what is visible, which the mask shows best.
      visible = mask_overlap.box(one.mask)
      if visible is not None:
        found.append(mask_overlap.box_iou(one.item.box * to_view, visible))
    return max(found)

  def _quaternion(self, one) -> Optional[np.ndarray]:
    if annotation_checks.rotation(one.pose.rotation):
      return None
    rotation = one.pose.rotation
    if self._examiner.rotation_frame == 'allocentric':
      center = cameras.project(one.pose.translation, self._view.intrinsics)
      rotation = rotations.allocentric_from_camera(
        rotation, center, self._view.intrinsics
      )
    return rotations.quaternion_from_matrix(rotation)


def _hidden(one, others, view) -> np.ndarray:
  """Pixels where another annotated CAD is nearer."""
  own = projections.depth(one.drawer, one.pose, view)
  hidden = np.zeros(own.shape, bool)
  for other in others:
    hidden |= projections.depth(other.drawer, other.pose, view) < own
  return hidden


def _where(sample: sample_lib.Sample, number: int) -> str:
  return f'{sample.name}#{number}'


def _named(
  index: int, sample: sample_lib.Sample, number: int
) -> measurements.ObjectFacts:
  """An object of which nothing is measured yet."""
  item = sample.objects[number]
  return measurements.ObjectFacts(
    where=_where(sample, number),
    sample=index,
    number=number,
    label_name=item.label_name,
    cad_id=item.cad_id,
    mesh=item.mesh,
    occluded_share=item.occluded_share,
    truncated=item.truncated,
  )
