"""Which CADs, at which rotations, are worth rendering and comparing.

Embedding and silhouette of a gallery view are looked at together: what one of
them overlooks the other may see.
"""

from typing import Collection
from typing import List
from typing import NamedTuple

import numpy as np

from mask2cad_tf.geometry import rotations as rotations_lib
from mask2cad_tf.retrieval import gallery as gallery_lib
from mask2cad_tf.retrieval import view_silhouettes

_COUNT = 30  # CADs taken
_VIEWS = 3  # rotations of a CAD
_APART = np.radians(15.0)  # least angle between them


class GalleryCandidate(NamedTuple):
  """A CAD of the gallery and where its views point.

  Attributes:
    row: of the gallery.
    similarity: cosine of its best view.
    rotations: [n, 3, 3], of its most similar views, best first, in the
      gallery's frame.
  """

  row: int
  similarity: float
  rotations: np.ndarray


def propose(
  embedding: np.ndarray,
  label: int,
  mask: np.ndarray,
  gallery: gallery_lib.Gallery,
  hidden: Collection[str] = (),
) -> List[GalleryCandidate]:
  """CADs of a class for one object.

  Args:
    embedding: [E], of the object.
    label: its class, from 1.
    mask: bool [H, W], of the object.
    gallery: all CADs.
    hidden: ids of CADs that are not to be found.

  Returns:
    Candidates by cosine + IoU, best first; without a mask by the cosine. Empty
    if the gallery has none of the class.
  """
  seen = np.array([cad.id not in hidden for cad in gallery.cads], bool)
  rows = np.flatnonzero((gallery.labels == label) & seen)
  if not len(rows):
    return []
  cosines = _cosines(embedding, gallery.embeddings[rows])
  cosines = np.where(gallery.valid[rows], cosines, -1.0)
  both = cosines
  target, inside = view_silhouettes.of_mask(mask)
  if inside.any():
    views = view_silhouettes.unpack(gallery.silhouettes[rows])
    both = cosines + view_silhouettes.iou(target, inside, views)
  chosen = np.argsort(-both.max(axis=1), kind='stable')[:_COUNT]
  return [
    GalleryCandidate(
      int(rows[i]),
      float(cosines[i].max()),
      _best_rotations(both[i], gallery.rotations[rows[i]]),
    )
    for i in chosen
  ]


def _cosines(embedding: np.ndarray, views: np.ndarray) -> np.ndarray:
  """[n, V] of an embedding [E] and views [n, V, E]."""
  embedding = embedding / max(np.linalg.norm(embedding), 1e-12)
  lengths = np.linalg.norm(views, axis=-1)
  return views @ embedding / np.maximum(lengths, 1e-12)


def _best_rotations(scores: np.ndarray, quaternions: np.ndarray) -> np.ndarray:
  """[n, 3, 3] of the views that score highest, none close to another."""
  chosen: List[int] = []
  for view in np.argsort(-scores, kind='stable'):
    half = np.abs(quaternions[chosen] @ quaternions[view])
    if not chosen or 2.0 * np.arccos(np.clip(half, 0.0, 1.0)).min() > _APART:
      chosen.append(int(view))
    if len(chosen) == _VIEWS:
      break
  return rotations_lib.matrix_from_quaternion(
    np.asarray(quaternions[chosen], np.float64)
  )
