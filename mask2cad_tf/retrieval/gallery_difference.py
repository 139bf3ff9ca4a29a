"""From one gallery to another: CADs that came, went, changed, look alike."""

import dataclasses
from typing import Any
from typing import Dict
from typing import List
from typing import Optional
from typing import Tuple

import numpy as np

from mask2cad_tf.retrieval import gallery as gallery_lib


@dataclasses.dataclass(frozen=True)
class Difference:
  """All by CAD id, sorted.

  Attributes:
    added: only in the other gallery.
    removed: only in the first.
    changed: (id, what differs) of CADs in both; of another encoder's
      embeddings nothing is said.
    near_duplicates: (id in the first, id in the other, mean cosine of equal
      views) of different CADs that look alike from everywhere and are not both
      in one of the galleries; None where the two do not compare.
  """

  added: Tuple[str, ...]
  removed: Tuple[str, ...]
  changed: Tuple[Tuple[str, Tuple[str, ...]], ...]
  near_duplicates: Optional[Tuple[Tuple[str, str, float], ...]]

  def to_json(self) -> Dict[str, Any]:
    """The same with names, for scripts; null where nothing can be said."""
    near = self.near_duplicates
    return {
      'added': list(self.added),
      'removed': list(self.removed),
      'changed': [
        {'id': cad_id, 'fields': list(names)} for cad_id, names in self.changed
      ],
      'near_duplicates': None
      if near is None
      else [
        {'id': one, 'other_id': two, 'cosine': cosine}
        for one, two, cosine in near
      ],
    }


def compare(
  first: gallery_lib.Gallery, other: gallery_lib.Gallery
) -> Difference:
  """What happened on the way from one gallery to the other."""
  removed = sorted(set(first.cad_ids) - set(other.cad_ids))
  added = sorted(set(other.cad_ids) - set(first.cad_ids))
  changed = []
  comparable = (
    first.encoder == other.encoder
    and first.embeddings.shape[1:] == other.embeddings.shape[1:]
  )
  for cad_id in sorted(set(first.cad_ids) & set(other.cad_ids)):
    what = _entry_changes(first.cad(cad_id), other.cad(cad_id))
    if comparable:
      what += _view_changes(first, other, cad_id)
    if what:
      changed.append((cad_id, tuple(what)))
  return Difference(
    tuple(added),
    tuple(removed),
    tuple(changed),
    tuple(_near(first, removed, other, added)) if comparable else None,
  )


def _entry_changes(one: gallery_lib.Cad, two: gallery_lib.Cad) -> List[str]:
  """Names of the fields that differ."""
  return [
    field.name
    for field in dataclasses.fields(gallery_lib.Cad)
    if getattr(one, field.name) != getattr(two, field.name)
  ]


def _view_changes(
  first: gallery_lib.Gallery, other: gallery_lib.Gallery, cad_id: str
) -> List[str]:
  """Names of the arrays that differ in a CAD's row."""
  row, other_row = first.row(cad_id), other.row(cad_id)
  return [
    name
    for name in ('embeddings', 'rotations', 'valid', 'silhouettes')
    if not np.array_equal(
      getattr(first, name)[row], getattr(other, name)[other_row]
    )
  ]


def _near(
  first: gallery_lib.Gallery,
  removed: List[str],
  other: gallery_lib.Gallery,
  added: List[str],
) -> List[Tuple[str, str, float]]:
  pairs = {}
  for cad_id in added:
    for twin, cosine in _twins(other, cad_id, first):
      pairs[twin, cad_id] = cosine
  for cad_id in removed:
    for twin, cosine in _twins(first, cad_id, other):
      pairs[cad_id, twin] = cosine
  return [(one, two, cosine) for (one, two), cosine in sorted(pairs.items())]


def _twins(
  gallery: gallery_lib.Gallery, cad_id: str, among: gallery_lib.Gallery
) -> List[Tuple[str, float]]:
  """CADs of another gallery that look like one of this: (id, cosine)."""
  row, label_name = gallery.row(cad_id), gallery.cad(cad_id).label_name
  same_class = np.array([c.label_name == label_name for c in among.cads])
  # Views compare at equal rotations only.
  turned = (among.rotations == gallery.rotations[row]).all(axis=(1, 2))
  rows = np.flatnonzero(same_class & turned)
  cosines = gallery_lib.view_cosines(
    gallery.embeddings[row],
    gallery.valid[row],
    among.embeddings[rows],
    among.valid[rows],
  )
  return [
    (among.cads[i].id, float(cosine))
    for i, cosine in zip(rows, cosines)
    if cosine >= gallery_lib.NEAR_DUPLICATE
  ]
