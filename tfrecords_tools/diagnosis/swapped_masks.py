"""Two objects that have each other's masks."""

from typing import List
from typing import Sequence
from typing import Tuple

import numpy as np

from tfrecords_tools.diagnosis import mask_overlap
from tfrecords_tools.diagnosis import measurements

_FITS = 0.80  # IoU of both masks with the other's silhouette, coarse
_GAIN = 0.10  # over the masks' own silhouettes
_MOST = 3000  # objects that are compared with each other


def find(
  objects: Sequence[measurements.ObjectFacts],
) -> List[Tuple[int, int, float]]:
  """Pairs of badly fitting objects whose masks fit when exchanged.

  Args:
    objects: any; those without signatures are passed over.

  Returns:
    (i, j, IoU): indices into `objects`, i < j, each at most once, and the
    worse IoU of the two after the exchange.
  """
  suspects = [
    index
    for index, one in enumerate(objects)
    if one.mask_signature is not None and one.silhouette_signature is not None
  ][:_MOST]
  if len(suspects) < 2:
    return []
  masks = _bits([objects[i].mask_signature for i in suspects])
  drawn = _bits([objects[i].silhouette_signature for i in suspects])
  fits = _pairwise_iou(masks, drawn)
  both = np.minimum(fits, fits.T)
  own = np.diagonal(fits).copy()
  np.fill_diagonal(both, 0.0)
  gain = both - np.maximum(own[:, np.newaxis], own)
  both[gain < _GAIN] = 0.0
  pairs = []
  while both.max() >= _FITS:
    i, j = sorted(np.unravel_index(np.argmax(both), both.shape))
    pairs.append((suspects[i], suspects[j], float(both[i, j])))
    both[[i, j]] = 0.0
    both[:, [i, j]] = 0.0
  return pairs


def _bits(signatures: Sequence[np.ndarray]) -> np.ndarray:
  """Float32 [n, pixels] of signatures."""
  return np.stack(
    [mask_overlap.from_signature(x).reshape(-1) for x in signatures]
  ).astype(np.float32)


def _pairwise_iou(first: np.ndarray, second: np.ndarray) -> np.ndarray:
  """IoU [n, m] of masks [n, pixels] and [m, pixels]."""
  shared = first @ second.T
  union = first.sum(axis=1)[:, np.newaxis] + second.sum(axis=1) - shared
  return shared / np.maximum(union, 1.0)
