"""Render and compare: candidates of one object -> posed CADs, best first.

No training: every candidate CAD is placed at several rotations, its
silhouette is fitted to the mask, and what results is ranked by silhouette and
by fine features. A time budget says how much is tried, the most promising
first; the work is counted, not timed: the same answer on a busy machine.
"""

import dataclasses
import functools
import itertools
import os
from concurrent import futures
from typing import Any
from typing import Callable
from typing import Iterable
from typing import List
from typing import Optional
from typing import Sequence

import numpy as np
import trimesh

from mask2cad_tf.geometry import cameras
from mask2cad_tf.geometry import posed_cad
from mask2cad_tf.refinement import comparison as comparison_lib
from mask2cad_tf.refinement import fine_features
from mask2cad_tf.refinement import ranking
from mask2cad_tf.refinement import shape as shape_lib
from mask2cad_tf.refinement import target as target_lib

Target = target_lib.Target
Candidate = target_lib.Candidate
FeatureExtractor = fine_features.FeatureExtractor

_FEATURE_BATCH = 16
_MOST_THREADS = 4  # half of the work holds Python's lock: more do not help
_SECONDS = 2.0  # in which a core does what the options' defaults say


@dataclasses.dataclass(frozen=True)
class RefinerOptions:
  """How much is tried in two seconds, and what counts.

  Another budget scales the four `max_`, none below 1.

  Attributes:
    max_candidates: CADs looked at.
    given_rotations: tried of those that come with a candidate.
    chosen_rotations: tried of its views, by silhouette.
    max_fitted: hypotheses fitted to the mask.
    max_featured: fits whose rendering is compared by features.
    max_polished: fits polished at the end.
    feature_weight: of the features' cosine; 1 for the silhouette's IoU.
    similarity_weight: of retrieval's cosine.
    box_weight: of the IoU of the projection's extent and an exact box; a
      detected one counts half.
    turn_weight: against turns of 60 degrees or more from a candidate's first
      rotation; in proportion for less.
    lean_weight: against what stands leaning by 15 degrees or more; in
      proportion for less.
    cached_shapes: CADs kept ready, about 1 MB each.
  """

  max_candidates: int = 30
  given_rotations: int = 3
  chosen_rotations: int = 3
  max_fitted: int = 100
  max_featured: int = 64
  max_polished: int = 6
  feature_weight: float = 0.5
  similarity_weight: float = 0.1
  box_weight: float = 0.5
  turn_weight: float = 0.05
  lean_weight: float = 0.1
  cached_shapes: int = 256


@dataclasses.dataclass(frozen=True, eq=False)
class Hypothesis:
  """A posed CAD.

  Attributes:
    cad_id: '<class>/<shape>'.
    similarity: of retrieval.
    rotation: [3, 3], CAD to camera.
    translation: [3], CAD units.
    silhouette_iou: overlap with the mask where it counts.
    feature_similarity: cosine of fine features; NaN: not looked at.
    score: what they are ranked by.
    mask: bool [H, W], where the photo shows the object, by the target's mask
      and this CAD; of the best hypothesis alone, None of others.
    box: [4], (ymin, xmin, ymax, xmax), pixels, around the mask; the target's
      where that is exact; None beside no mask.
  """

  cad_id: str
  similarity: float
  rotation: np.ndarray
  translation: np.ndarray
  silhouette_iou: float
  feature_similarity: float
  score: float
  mask: Optional[np.ndarray] = None
  box: Optional[np.ndarray] = None

  def in_place_of(
    self, cad: posed_cad.PosedCad, mesh: str, intrinsics: np.ndarray
  ) -> posed_cad.PosedCad:
    """The object as this hypothesis has it.

    Args:
      cad: as the network found it; keeps class, score, and mask and box where
        this has none.
      mesh: path of the CAD's mesh.
      intrinsics: [4], (fx, fy, cx, cy), pixels.
    """
    if self.mask is not None:
      cad = dataclasses.replace(cad, mask=self.mask, box=self.box)
    return dataclasses.replace(
      cad,
      cad_id=self.cad_id,
      mesh=mesh,
      rotation=self.rotation,
      translation=self.translation,
      center=cameras.project(self.translation, intrinsics),
      depth=float(self.translation[2]),
    )


class Refiner:
  """Poses the candidates of one object after another; keeps CADs ready."""

  def __init__(
    self,
    load_shape: Callable[[str], trimesh.Trimesh],
    extra_rotations: Optional[Callable[[str], np.ndarray]] = None,
    features: Optional[FeatureExtractor] = None,
    options: RefinerOptions = RefinerOptions(),
  ):
    """Prepares nothing yet.

    Args:
      load_shape: mesh of a CAD id, CAD frame.
      extra_rotations: allocentric rotations [V, 3, 3] to choose from for a CAD
        id: the views of its class.
      features: network for the fine comparison.
      options: how much is tried.
    """
    self._options = options
    self._extra_rotations = extra_rotations
    self._features = features
    self._weights = ranking.Weights(
      features=options.feature_weight,
      similarity=options.similarity_weight,
      box=options.box_weight,
      turn=options.turn_weight,
      lean=options.lean_weight,
    )
    self._shape = functools.lru_cache(maxsize=options.cached_shapes)(
      lambda cad_id: shape_lib.Shape(load_shape(cad_id))
    )
    self._threads = futures.ThreadPoolExecutor(
      min(os.cpu_count() or 1, _MOST_THREADS)
    )

  def refine(
    self,
    target: Target,
    candidates: Sequence[Candidate],
    seconds: float = _SECONDS,
    top_k: int = 5,
  ) -> List[Hypothesis]:
    """Finds the CADs and poses that explain the photo best.

    The same answer every time.

    Args:
      target: the object.
      candidates: CADs, best first.
      seconds: how much is tried, as what a core of a 2.5 GHz server does in
        this time once the CADs are loaded.
      top_k: at most so many.

    Returns:
      The best pose of each CAD, best first; at least one where there are
      candidates. Without a mask: placed by the box, in the candidates' order.
    """
    share = max(seconds, 0.0) / _SECONDS
    comparison = comparison_lib.Comparison(target)
    if comparison.is_blind:
      return self._placed(comparison, candidates[:top_k])
    options = self._options
    drafts = self._proposed(
      comparison, candidates[: _scaled(options.max_candidates, share)]
    )
    drafts = self._fitted(
      comparison, drafts, _scaled(options.max_fitted, share)
    )
    extractor, photo, mean = self._features, None, None
    if extractor:
      photo = extractor(comparison.crops.photo[np.newaxis])[0]
      self._look(comparison, drafts[: _scaled(options.max_featured, share)])
      mean = getattr(extractor, 'feature_mean', None)
      mean = _mean_features(drafts) if mean is None else mean
    polished = _scaled(options.max_polished, share)
    self._polish(comparison, drafts, (photo, mean), polished)
    return self._best(comparison, drafts, (photo, mean), top_k)

  def _each(self, work: Callable[[Any], Any], items: Iterable[Any]) -> List:
    """What the work gives for each item; several at a time, as the cores."""
    return list(self._threads.map(work, items))

  def _placed(self, comparison, candidates) -> List[Hypothesis]:
    """Nothing to compare with: first rotations, placed by box."""
    found: List[Hypothesis] = []
    for candidate in candidates:
      pose = comparison.proposer(1, 0).propose(
        candidate, self._shape(candidate.cad_id)
      )[0]
      similarity = float(candidate.similarity)
      score = self._weights.similarity * similarity
      found.append(
        Hypothesis(candidate.cad_id, similarity, *pose, 0.0, np.nan, score)
      )
    return found

  def _proposed(self, comparison, candidates) -> List[ranking.Draft]:
    """Drafts of the candidates, most promising first."""
    options = self._options
    proposer = comparison.proposer(
      options.given_rotations, options.chosen_rotations
    )

    def of_candidate(candidate: Candidate) -> List[ranking.Draft]:
      views = None
      if self._extra_rotations is not None:
        views = self._extra_rotations(candidate.cad_id)
      shape = self._shape(candidate.cad_id)
      poses = proposer.propose(candidate, shape, views)
      return [
        ranking.Draft(candidate, shape, pose, *overlaps)
        for pose, overlaps in zip(poses, comparison.overlaps(shape, poses))
      ]

    drafts = itertools.chain.from_iterable(self._each(of_candidate, candidates))
    return sorted(drafts, key=lambda draft: -draft.promise(self._weights))

  def _fitted(self, comparison, drafts, count) -> List[ranking.Draft]:
    """Fits the first drafts; what ends in one pose is one."""
    self._each(comparison.fit, drafts[:count])
    return sorted(
      ranking.distinct(drafts), key=lambda draft: -draft.promise(self._weights)
    )

  def _look(self, comparison, drafts) -> None:
    """Takes the features of the drafts' renderings."""
    for first in range(0, len(drafts), _FEATURE_BATCH):
      batch = drafts[first : first + _FEATURE_BATCH]
      crops = self._each(
        lambda draft: comparison.crops.posed(draft.shape, draft.pose), batch
      )
      for draft, features in zip(batch, self._features(np.stack(crops))):
        draft.features = features

  def _polish(self, comparison, drafts, compared, count) -> None:
    """Fits the best drafts at a higher resolution."""
    order = np.argsort(-self._scored(drafts, compared)[0], kind='stable')
    chosen = ranking.first_of_each(order, drafts, 2)
    polished = [drafts[index] for index in chosen[:count]]
    self._each(comparison.polish, polished)
    if compared[0] is not None:
      self._look(comparison, polished)

  def _scored(self, drafts, compared):
    cosines = ranking.feature_cosines(drafts, *compared)
    return ranking.scores(drafts, cosines, self._weights), cosines

  def _best(self, comparison, drafts, compared, top_k) -> List[Hypothesis]:
    scores, cosines = self._scored(drafts, compared)
    order = np.argsort(-scores, kind='stable')
    return [
      Hypothesis(
        drafts[index].candidate.cad_id,
        float(drafts[index].candidate.similarity),
        *drafts[index].pose,
        drafts[index].iou,
        float(cosines[index]),
        float(scores[index]),
        *(comparison.seen(drafts[index]) if place == 0 else ()),
      )
      for place, index in enumerate(
        ranking.first_of_each(order, drafts, 1)[:top_k]
      )
    ]


def _scaled(count: int, share: float) -> int:
  return max(1, round(count * share))


def _mean_features(drafts) -> Optional[np.ndarray]:
  seen = [draft.features for draft in drafts if draft.features is not None]
  return np.mean(seen, axis=0) if len(seen) > 1 else None
