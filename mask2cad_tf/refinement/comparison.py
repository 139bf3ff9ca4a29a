"""One target, and how well a posed CAD agrees with it."""

import functools
import math
from typing import Dict
from typing import List
from typing import Sequence
from typing import Tuple

import numpy as np

from mask2cad_tf.geometry import box_overlap
from mask2cad_tf.refinement import fine_features
from mask2cad_tf.refinement import joint_mask
from mask2cad_tf.refinement import placement
from mask2cad_tf.refinement import pose_steps
from mask2cad_tf.refinement import proposals
from mask2cad_tf.refinement import ranking
from mask2cad_tf.refinement import shape as shape_lib
from mask2cad_tf.refinement import silhouette_fit
from mask2cad_tf.refinement import silhouettes as silhouettes_lib
from mask2cad_tf.refinement import target as target_lib
from mask2cad_tf.refinement import window as window_lib

_COARSE, _FIT, _SCORE, _POLISH = 32, 48, 64, 96  # pixels, silhouettes
_MOST_OUTLINE = 1 << 20  # rays for the outline in a photo of any size
_SILHOUETTE_SCALE = 1.3  # window's side in the box's longer sides
_CROP_SCALE = 1.1
_LEAST_MASK = 0.005  # share of the window; less is no mask


class Comparison:
  """What one target is compared with, made when first asked for."""

  def __init__(self, target: target_lib.Target):
    """Keeps the target."""
    self._target = target
    self._box = target.extent()
    self._edges = placement.box_edges(target)
    self._silhouettes: Dict[int, silhouettes_lib.Silhouettes] = {}

  @property
  def is_blind(self) -> bool:
    """Whether the mask says nothing."""
    return float(self._seen_at(_FIT).goal.mean()) < _LEAST_MASK

  @functools.cached_property
  def crops(self) -> fine_features.Crops:
    """The object as fine features see it."""
    window = window_lib.around(self._box, _CROP_SCALE, fine_features.CROP_SIZE)
    return fine_features.Crops(self._target, window)

  def proposer(self, given: int, chosen: int) -> proposals.Proposer:
    """What places candidates, at so many given and chosen rotations."""
    return proposals.Proposer(
      self._target,
      self._edges,
      self._seen_at(_COARSE),
      proposals.Limits(given, chosen),
    )

  def overlaps(
    self, shape: shape_lib.Shape, poses: Sequence[pose_steps.Pose]
  ) -> List[Tuple[float, float]]:
    """IoU of silhouette and mask, and of extent and box, of each pose."""
    rotations = np.stack([pose.rotation for pose in poses])
    translations = np.stack([pose.translation for pose in poses])
    masks = self._seen_at(_SCORE).iou(shape, rotations, translations)
    low, high = placement.extent(
      shape, rotations, translations, self._target.intrinsics
    )
    boxes = placement.box_iou(low, high, self._edges)
    boxes = boxes if self._target.exact_box else 0.5 * boxes
    return list(zip(masks.tolist(), boxes.tolist()))

  def fit(self, draft: ranking.Draft) -> None:
    """Fits a draft in place and measures its overlaps anew."""
    self._fit(draft, _FIT, silhouette_fit.COARSE_TO_FINE)

  def polish(self, draft: ranking.Draft) -> None:
    """As `fit`, at a higher resolution."""
    self._fit(draft, _POLISH, silhouette_fit.POLISH)

  def _fit(self, draft: ranking.Draft, size: int, stages: Tuple) -> None:
    silhouettes = self._seen_at(size)
    goal = silhouette_fit.Goal(
      silhouettes, self._edges, self._target.intrinsics, self._target.exact_box
    )
    side = silhouettes.window.side
    frame = pose_steps.Frame(
      draft.shape.pivot, side / self._target.intrinsics[:2], self._target.depth
    )
    pose = silhouette_fit.fit(draft.shape, goal, draft.pose, frame, stages)
    draft.pose = pose
    draft.iou, draft.box_iou = self.overlaps(draft.shape, [pose])[0]

  def seen(self, draft: ranking.Draft) -> Tuple[np.ndarray, np.ndarray]:
    """Mask and box by the target and the draft's outline."""
    target = self._target
    height, width = target.mask.shape
    step = math.ceil(math.sqrt(height * width / _MOST_OUTLINE))
    outline = draft.shape.renderer.silhouette(
      *draft.pose,
      np.asarray(target.intrinsics) / step,
      math.ceil(height / step),
      math.ceil(width / step),
    )
    outline = outline.repeat(step, axis=0).repeat(step, axis=1)
    mask = joint_mask.joint_mask(target.mask, outline[:height, :width])
    if target.exact_box or not mask.any():
      return mask, self._box
    return mask, box_overlap.mask_extent(mask)

  def _seen_at(self, size: int) -> silhouettes_lib.Silhouettes:
    """The target at a resolution, pixels."""
    if size not in self._silhouettes:
      window = window_lib.around(self._box, _SILHOUETTE_SCALE, size)
      self._silhouettes[size] = silhouettes_lib.Silhouettes(
        self._target, window
      )
    return self._silhouettes[size]
