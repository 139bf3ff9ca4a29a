"""The inference path on a server, in terms of a gallery that lies here."""

from typing import Dict
from typing import List
from typing import Mapping

import numpy as np
import tensorflow as tf

from mask2cad_tf.configs import mask2cad as mask2cad_config
from mask2cad_tf.retrieval import descriptors
from mask2cad_tf.retrieval import gallery as gallery_lib
from mask2cad_tf.retrieval import search
from mask2cad_tf.scene import photo as photo_lib
from mask2cad_tf.serving import client as client_lib
from mask2cad_tf.serving import detections
from mask2cad_tf.serving import photo_bytes

# The axes of each: a number, or a letter for a size that all share.
_NEEDED = {
  'num_detections': '1',
  'detection_boxes': '1N4',
  'detection_outer_boxes': '1N4',
  'detection_classes': '1N',
  'detection_scores': '1N',
  'detection_masks': '1NMM',
  'detection_embeddings': '1NE',
  'detection_rotations': '1N4',
  'detection_centers': '1N2',
  'detection_cad_ids': '1NK',
  'detection_cad_scores': '1NK',
}
# Similarities of one CAD, there and here: more is another embedding.
_SAME_COSINE = 0.02


class ServedModule:
  """What `Mask2CADModule.predict` finds, found by a server."""

  def __init__(
    self,
    client: client_lib.Client,
    gallery: gallery_lib.Gallery,
    config: mask2cad_config.Retrieval,
    top_k: int,
  ):
    """Keeps the parts; nothing is sent.

    Args:
      client: of the served model.
      gallery: that it was exported with, or one that holds all its CADs.
      config: the exported model's `retrieval`.
      top_k: CADs of a detection; the model may have been exported with fewer.
    """
    self._client = client
    self._gallery = gallery
    self._config = config
    self._top_k = top_k

  @property
  def address(self) -> str:
    """Of the server and its model."""
    return self._client.address

  def predict(self, photo: photo_lib.Photo) -> Dict[str, np.ndarray]:
    """As `Mask2CADModule.predict`, without the batch axis.

    Args:
      photo: whose pixels and intrinsics are sent.

    Returns:
      The outputs; detection_cads are rows of the gallery here.

    Raises:
      ValueError: the server refuses the photo, serves another model, or its
        CADs are not those of the gallery.
      ConnectionError, TimeoutError: as `client.Client.infer`.
    """
    outputs = self._client.infer(
      [photo_bytes.encode(photo)], photo.camera.intrinsics[np.newaxis]
    )
    missing = [key for key in _NEEDED if key not in outputs]
    if missing:
      raise ValueError(
        f'The model at {self.address!r} answers without {", ".join(missing)}. '
        'Serve what mask2cad_tf.export wrote.'
      )
    if not np.issubdtype(outputs['detection_masks'].dtype, np.floating):
      raise ValueError(
        f'The model at {self.address!r} answers with pasted masks; here RoI '
        'masks are needed, which mask2cad_tf.export writes by default.'
      )
    self._check_shapes(outputs)
    found = {key: value[0] for key, value in outputs.items()}
    found['detection_cads'] = self._rows(found['detection_cad_ids'])
    self._check_same(found)
    for key in ('detection_cads', 'detection_cad_ids', 'detection_cad_scores'):
      found[key] = found[key][:, : self._top_k]
    return found

  def _rows(self, cad_ids: np.ndarray) -> np.ndarray:
    """Rows of the gallery, int32 [N, k]; -1 where there is no CAD."""
    row_of = {cad_id: row for row, cad_id in enumerate(self._gallery.cad_ids)}
    row_of[''] = -1
    try:
      names = [cad_id.decode() for cad_id in cad_ids.ravel()]
    except (AttributeError, UnicodeDecodeError) as error:
      raise ValueError(
        f'The model at {self.address!r} answers with CAD ids that are no text.'
      ) from error
    unknown = sorted(set(names) - set(row_of))
    if unknown:
      raise ValueError(
        f'The server at {self.address!r} finds CADs that the gallery '
        f'{self._gallery.path!r} does not hold: {_some(unknown)}. Give the '
        'gallery that the model was exported with: --gallery=G'
      )
    rows = np.array([row_of[name] for name in names], np.int32)
    return rows.reshape(cad_ids.shape)

  def _check_shapes(self, outputs: Mapping[str, np.ndarray]) -> None:
    """Refuses arrays that are not of one photo with so many detections."""
    sizes = {'E': self._gallery.embeddings.shape[2]}
    for key, letters in _NEEDED.items():
      array = outputs[key]
      expected = '*'.join(letters)
      fits = array.ndim == len(letters) and all(
        size == (sizes.setdefault(x, size) if x.isupper() else int(x))
        for x, size in zip(letters, array.shape)
      )
      kinds = 'OS' if key == 'detection_cad_ids' else 'iuf'
      if not fits or array.dtype.kind not in kinds:
        raise ValueError(
          f'The model at {self.address!r} answers with {key} of '
          f'{array.dtype} {list(array.shape)}; expected {expected}. Serve what '
          'mask2cad_tf.export wrote.'
        )
      if kinds != 'OS' and not np.isfinite(array).all():
        raise ValueError(
          f'The model at {self.address!r} answers with {key} that has values '
          'that are not finite.'
        )
    count = outputs['num_detections'][0]
    if not 0 <= count <= sizes['N'] or not sizes['K']:
      raise ValueError(
        f'The model at {self.address!r} answers with {count} of {sizes["N"]} '
        'detections.'
      )

  def _check_same(self, found: Mapping[str, np.ndarray]) -> None:
    """Refuses a gallery that calls other things by the same names."""
    objects = detections.describe(found, self._config.silhouette_weight)
    for index in range(int(found['num_detections'])):
      row = found['detection_cads'][index, 0]
      if row < 0:
        continue
      here = self._similarity(objects[index], row)
      there = found['detection_cad_scores'][index, 0]
      same_class = (
        self._gallery.labels[row] == found['detection_classes'][index]
      )
      if not same_class or abs(here - there) > _SAME_COSINE:
        raise ValueError(
          f'{self._gallery.cads[row].id} in the gallery {self._gallery.path!r} '
          f'is not what the server at {self.address!r} calls so: class or '
          'embedding differ. Give the gallery that the model was exported '
          'with: --gallery=G'
        )

  def _similarity(self, query: tf.Tensor, row: int) -> float:
    """Of an object's descriptor [D] and a CAD, as the search has it."""
    cad = self._gallery.take([row])
    views = descriptors.of_views(
      cad.embeddings, cad.silhouettes, self._config.silhouette_weight
    )
    _, similarities = search.top_k(
      query[tf.newaxis, tf.newaxis],
      cad.labels[np.newaxis],
      search.index(views, cad.valid, cad.labels),
      k=1,
      nearest=self._config.num_views,
    )
    return float(similarities[0, 0, 0])


def _some(names: List[str]) -> str:
  more = f' and {len(names) - 3} more' if len(names) > 3 else ''
  return ', '.join(names[:3]) + more
