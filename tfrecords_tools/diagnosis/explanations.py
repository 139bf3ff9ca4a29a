"""Why a CAD's silhouette misses its mask: mistakes that people make.

Each mistake is undone and the silhouette drawn again; the one after which it
fits is the explanation. Bars and margins are judgement, tried on planted
mistakes, not swept.
"""

import dataclasses
from typing import Iterator
from typing import List
from typing import Optional
from typing import Tuple

import numpy as np

from mask2cad_tf.geometry import renderer
from tfrecords_tools.diagnosis import mask_overlap
from tfrecords_tools.diagnosis import projections

FOCAL_LENGTH = 'focal_length'
ROTATED = 'rotated_pose'
MIRRORED = 'mirrored_axis'

_SIDE = 192  # pixels, of the pictures that are compared
_FITS = 0.90  # IoU from which on an explanation explains
_GAIN = 0.10  # of the IoU, at least
_MARGIN = 0.02  # of the IoU by which a rarer mistake must beat a common one
_FOCAL_GRID = np.exp(np.linspace(np.log(0.4), np.log(2.5), 21))
_LEAST_FOCAL = 0.08  # |log factor| below which it is no mistake
_REFINEMENTS = 7
# What a frame with other axes does to the camera's x, y, z.
_FLIPS = {
  'x': (-1.0, 1.0, 1.0),
  'y': (1.0, -1.0, 1.0),
  'x and y': (-1.0, -1.0, 1.0),
  'x and z': (-1.0, 1.0, -1.0),
  'y and z': (1.0, -1.0, -1.0),
  'z': (1.0, 1.0, -1.0),
}


@dataclasses.dataclass(frozen=True)
class Explanation:
  """A mistake and how well the silhouette fits once it is undone."""

  kind: str
  detail: str
  iou: float


@dataclasses.dataclass(frozen=True, eq=False)
class Target:
  """What a silhouette is compared with: a mask and the pixels that count."""

  mask: np.ndarray  # bool [h, w]
  known: np.ndarray  # bool [h, w], False where another object is seen
  view: projections.View

  def shrunk(self, max_side: int) -> 'Target':
    """The same target in a smaller picture."""
    view = self.view.shrunk(max_side)
    size = (view.height, view.width)
    return Target(
      mask_overlap.shrink(self.mask, *size),
      mask_overlap.shrink(self.known, *size),
      view,
    )

  def score(self, silhouette: np.ndarray) -> float:
    """IoU of the mask with a silhouette where pixels count."""
    return mask_overlap.iou(self.mask & self.known, silhouette & self.known)


def explain(
  target: Target, drawer: renderer.Renderer, pose: projections.Pose
) -> Optional[Explanation]:
  """The likeliest mistake that explains a bad fit.

  Args:
    target: the mask.
    drawer: of the annotated CAD.
    pose: as annotated.

  Returns:
    The explanation; None where undoing none of the mistakes makes it fit.
  """
  small = target.shrunk(_SIDE)
  before = small.score(projections.silhouette(drawer, pose, small.view))
  best: Optional[Explanation] = None
  for found in (
    _focal_length(small, drawer, pose),
    _rotated(small, drawer, pose),
    _mirrored(small, drawer, pose),
  ):
    if found and (best is None or found.iou > best.iou + _MARGIN):
      best = found
  if best is None or best.iou < max(_FITS, before + _GAIN):
    return None
  return best


def _focal_length(target, drawer, pose) -> Optional[Explanation]:
  def score(factor: float) -> float:
    stretch = np.array([factor, factor, 1.0, 1.0])
    view = target.view._replace(intrinsics=target.view.intrinsics * stretch)
    return target.score(projections.silhouette(drawer, pose, view))

  scores = [score(factor) for factor in _FOCAL_GRID]
  top = int(np.argmax(scores))
  factor, best = _FOCAL_GRID[top], scores[top]
  step = np.sqrt(_FOCAL_GRID[1] / _FOCAL_GRID[0])
  for _ in range(_REFINEMENTS):
    for candidate in (factor / step, factor * step):
      found = score(candidate)
      if found > best:
        factor, best = candidate, found
    step = np.sqrt(step)
  if abs(np.log(factor)) < _LEAST_FOCAL:
    return None
  return Explanation(
    FOCAL_LENGTH,
    f'The CAD fits the mask with {factor:.2f} times the annotated focal '
    f'length: the focal length is {abs(1 / factor - 1):.0%} too '
    f'{"long" if factor < 1 else "short"} (or the depth off by as much). '
    'Check its unit and the image size that it was given for.',
    best,
  )


def _rotated(target, drawer, pose) -> Explanation:
  found = []
  for degrees in (90, 180, 270):
    turned = pose._replace(rotation=pose.rotation @ _about_up(degrees))
    score = target.score(projections.silhouette(drawer, turned, target.view))
    found.append(
      Explanation(
        ROTATED,
        f'The CAD fits the mask when it is turned by {degrees} degrees about '
        "its up axis: the pose is of a CAD with another front, or the CAD's "
        'axes differ from the annotated ones.',
        score,
      )
    )
  return max(found, key=lambda one: one.iou)


def _mirrored(target, drawer, pose) -> Explanation:
  found = [
    Explanation(
      MIRRORED,
      f'The CAD fits the mask when the {axes} of {what} changes sign: the '
      "pose is in another frame than Pix3D's camera (+x left, +y up, +z "
      'forward).',
      target.score(projections.silhouette(drawer, turned, target.view)),
    )
    for axes, what, turned in _unmirrored(pose)
  ]
  return max(found, key=lambda one: one.iou)


def _unmirrored(
  pose: projections.Pose,
) -> Iterator[Tuple[str, str, projections.Pose]]:
  """(axes, whose, pose) with one mirroring undone, common ones first."""
  for axes, signs in _FLIPS.items():
    flip = np.diag(signs)
    rotations: List[np.ndarray] = [flip @ pose.rotation]
    if np.linalg.det(flip) < 0:  # flipped on both sides, still a rotation
      rotations.append(flip @ pose.rotation @ flip)
    for rotation in rotations:
      yield (
        axes,
        'rotation and translation',
        projections.Pose(rotation, flip @ pose.translation),
      )
      if signs[2] > 0:
        yield (
          axes,
          'the rotation',
          projections.Pose(rotation, pose.translation),
        )
    if signs[2] > 0:
      yield (
        axes,
        'the translation',
        projections.Pose(pose.rotation, flip @ pose.translation),
      )


def _about_up(degrees: float) -> np.ndarray:
  """Rotation about +y, [3, 3]."""
  cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
  return np.array([[cos, 0.0, sin], [0.0, 1.0, 0.0], [-sin, 0.0, cos]])
