"""The pool of CAD views that an image's RoIs are compared with (Sec. 3.2).

Per object 3 of its CAD's canonical views and the jittered view of its record;
further CADs of the same classes as distractors.
"""

import functools
import math
from typing import Optional
from typing import Tuple

import tensorflow as tf

from mask2cad_tf import conventions
from mask2cad_tf.data import view_store

_SIZE = conventions.VIEW_SIZE


def object_views(
  store: view_store.ViewStore,
  rows: tf.Tensor,
  jittered: Optional[tf.Tensor],
  flip: tf.Tensor,
  num_canonical: int,
  max_objects: int,
  seed: tf.Tensor,
  toward: Optional[tf.Tensor] = None,
) -> Tuple[tf.Tensor, tf.Tensor]:
  """Views of the objects' own CADs.

  Args:
    store: all CADs.
    rows: int32 [m], m <= max_objects, the objects' CADs; -1 unknown.
    jittered: string [m], PNG of the objects' jittered views, or the bytes of
      their features where the store has features; None: one canonical view more
      takes its place.
    flip: bool, whether the photo is flipped; the jittered views then are too.
    num_canonical: canonical views per object, without replacement.
    max_objects: O.
    seed: int [2].
    toward: float [m, 4], (w, x, y, z): take the canonical views nearest to
      these rotations; None: any.

  Returns:
    float [O, num_canonical + 1, 128, 128, 1], 0 .. 1, the jittered view last,
    and rows int32 [O]; -1 and black for padding and unknown CADs. With
    features: [O, num_canonical + 1, *feature_shape] of the views.
  """
  count = num_canonical + (jittered is None)
  own = _sample_views(store, rows, count, seed, toward)
  views = _open(store, own)  # [m, count, S, S, 1]
  if jittered is not None:
    jittered = tf.where(rows < 0, _blank(store), jittered)
    last = _open(store, jittered[:, tf.newaxis])  # [m, 1, S, S, 1]
    if not store.feature_shape:
      last = tf.where(flip, tf.reverse(last, axis=[3]), last)
    views = tf.concat([views, last], axis=1)
  return _pad(views, rows, max_objects)


def distractor_views(
  store: view_store.ViewStore,
  rows: tf.Tensor,
  num_views: int,
  count: int,
  seed: tf.Tensor,
  toward: Optional[tf.Tensor] = None,
) -> Tuple[tf.Tensor, tf.Tensor]:
  """Views of other CADs of the same classes: negatives of Eq. (1).

  Args:
    store: all CADs.
    rows: int32 [m], the image's CADs; -1 unknown.
    num_views: V, canonical views per distractor.
    count: D.
    seed: int [2].
    toward: float [m, 4], (w, x, y, z), of the image's CADs: a distractor shows
      the views nearest to the rotation of an object of its class; None: any.

  Returns:
    float [D, V, 128, 128, 1] and rows int32 [D]; -1 and black where the store
    has fewer CADs of these classes that are no duplicates of the image's. With
    features: [D, V, *feature_shape] of the views.
  """
  seeds = tf.random.experimental.stateless_split(seed, 2)
  known = tf.boolean_mask(rows, rows >= 0)
  same_class = _is_in(store.labels, tf.gather(store.labels, known))
  own = _is_in(store.groups, tf.gather(store.groups, known))
  luck = tf.random.stateless_uniform(tf.shape(store.labels), seeds[0])
  luck = tf.where(same_class & ~own, luck, -1.0)
  best, others = tf.math.top_k(luck, tf.minimum(count, tf.size(luck)))
  others = tf.boolean_mask(others, best >= 0.0)
  if toward is not None:
    toward = _of_same_class(store, others, rows, toward)
  views = _open(
    store, _sample_views(store, others, num_views, seeds[1], toward)
  )
  return _pad(views, others, count)


def _of_same_class(
  store: view_store.ViewStore,
  others: tf.Tensor,
  rows: tf.Tensor,
  rotations: tf.Tensor,
) -> tf.Tensor:
  """Rotation [d, 4] of the first object [m] of each other CAD's class."""
  same = store.label_of(others)[:, tf.newaxis] == store.label_of(rows)
  return tf.gather(rotations, tf.argmax(same, axis=-1))


def random_crops(
  views: tf.Tensor, smallest: float, seed: tf.Tensor
) -> tf.Tensor:
  """Random square crops, resized back (S2, Sec. 4.2).

  Args:
    views: float [P, V, 128, 128, 1].
    smallest: share of the side that the smallest crop keeps; 1 keeps all.
    seed: int [2].

  Returns:
    float [P, V, 128, 128, 1].
  """
  if smallest >= 1.0:
    return views
  flat = tf.reshape(views, [-1, _SIZE, _SIZE, 1])
  count = tf.shape(flat)[0]
  draws = tf.random.stateless_uniform([count, 3], seed)
  side = smallest + (1.0 - smallest) * draws[:, :1]
  corner = draws[:, 1:] * (1.0 - side)
  crops = tf.image.crop_and_resize(
    flat,
    tf.concat([corner, corner + side], axis=-1),
    tf.range(count),
    [_SIZE, _SIZE],
  )
  return tf.reshape(crops, tf.shape(views))


def _sample_views(
  store: view_store.ViewStore,
  rows: tf.Tensor,
  count: int,
  seed: tf.Tensor,
  toward: Optional[tf.Tensor],
) -> tf.Tensor:
  """String [m, count] of each row, without replacement; -1 is blank."""
  own_rows = tf.maximum(rows, 0)
  if toward is None:
    order = tf.random.stateless_uniform(
      [tf.shape(rows)[0], conventions.NUM_VIEWS], seed
    )
  else:  # |cos| of half the angle between: largest where nearest
    rotations = tf.gather(store.rotations, own_rows)  # [m, NUM_VIEWS, 4]
    order = tf.abs(tf.einsum('mvi,mi->mv', rotations, toward))
  picks = tf.math.top_k(order, count).indices  # [m, count]
  own = tf.gather(store.views, own_rows)  # [m, NUM_VIEWS]
  chosen = tf.gather(own, picks, batch_dims=1)
  return tf.where(rows[:, tf.newaxis] < 0, _blank(store), chosen)


def _blank(store: view_store.ViewStore) -> bytes:
  """A view of nothing, as the store holds views."""
  if store.feature_shape:
    return bytes(2 * math.prod(store.feature_shape))
  return _black()


@functools.cache
def _black() -> bytes:
  """PNG of a black view; not made on import, which would start TensorFlow."""
  with tf.init_scope():
    return tf.io.encode_png(tf.zeros([_SIZE, _SIZE, 1], tf.uint8)).numpy()


def _open(store: view_store.ViewStore, views: tf.Tensor) -> tf.Tensor:
  """Strings [m, V] of the store -> float [m, V, ...]."""
  if not store.feature_shape:
    return decode(views)
  features = tf.io.decode_raw(views, tf.float16)
  shape = tf.concat([tf.shape(views), store.feature_shape], axis=0)
  return tf.reshape(features, shape)


def decode(pngs: tf.Tensor) -> tf.Tensor:
  """PNG string [m, V] -> float [m, V, 128, 128, 1], 0 .. 1."""
  images = tf.map_fn(
    lambda png: tf.io.decode_png(png, channels=1),
    tf.reshape(pngs, [-1]),
    fn_output_signature=tf.TensorSpec([_SIZE, _SIZE, 1], tf.uint8),
  )
  shape = tf.concat([tf.shape(pngs), [_SIZE, _SIZE, 1]], axis=0)
  return tf.cast(tf.reshape(images, shape), tf.float32) / 255.0


def _pad(
  views: tf.Tensor, rows: tf.Tensor, count: int
) -> Tuple[tf.Tensor, tf.Tensor]:
  missing = count - tf.shape(rows)[0]
  shape = views.shape[2:]
  views = tf.pad(views, [[0, missing]] + [[0, 0]] * 4)
  rows = tf.pad(rows, [[0, missing]], constant_values=-1)
  return (
    tf.ensure_shape(views, [count, None, *shape]),
    tf.ensure_shape(rows, [count]),
  )


def _is_in(values: tf.Tensor, members: tf.Tensor) -> tf.Tensor:
  """Is each of int [n] among int [m]? Bool [n]."""
  return tf.reduce_any(values[:, tf.newaxis] == members, axis=-1)
