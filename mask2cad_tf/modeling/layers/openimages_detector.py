"""A detector that real photos taught: MobileNetV2 SSD on OpenImages.

It knows some of our classes from photos of lived-in places, and has a
say in what the detector that learnt from renderings finds (see
ops/pooled_detections.py). Its weights are those of the npm package
@mediapipe/objectron (Apache-2.0): of its 24 classes the ones of
conventions.OPENIMAGES_CLASSES.

Paper note: the paper's detector starts from COCO's, which has seen real
furniture.
"""

from typing import Any
from typing import Dict
from typing import Iterator
from typing import List
from typing import NamedTuple
from typing import Optional
from typing import Sequence
from typing import Tuple

import numpy as np
import tensorflow as tf
from official.vision.ops import preprocess_ops

from mask2cad_tf import conventions

# Garden's normalised pixels to -1..1, channel by channel.
PIXEL_SCALE = 2.0 * np.asarray(preprocess_ops.STDDEV_NORM, np.float32)
PIXEL_SHIFT = 2.0 * np.asarray(preprocess_ops.MEAN_NORM, np.float32) - 1.0

_SIDE = 300  # pixels of its input
_GRIDS = (19, 10, 5, 3, 2, 1)  # cells along a side, map by map
_ANCHORS = (3, 6, 6, 6, 6, 6)  # a cell
_LEAST_SCALE, _MOST_SCALE = 0.2, 0.95
_CENTER_VARIANCE, _SIZE_VARIANCE = 0.1, 0.2


class _Stage(NamedTuple):
  """A row of MobileNetV2's table; `level` is the endpoint that it closes."""

  expand_ratio: int
  filters: int
  repeats: int
  strides: int
  level: Optional[str]


_STEM_FILTERS, _LAST_FILTERS = 32, 1280
_STAGES = (
  _Stage(1, 16, 1, 1, '1'),
  _Stage(6, 24, 2, 2, '2'),
  _Stage(6, 32, 3, 2, '3'),
  _Stage(6, 64, 4, 2, None),
  _Stage(6, 96, 3, 1, '4'),
  _Stage(6, 160, 3, 2, None),
  _Stage(6, 320, 1, 1, '5'),
)
# Stage and repeat whose expansion, of stride 16, is the first map looked at.
_FIRST_LOOK = (5, 0)
_EXPANSION = 'expansion'  # its name among the levels
_EXTRA = ((256, 512), (128, 256), (128, 256), (64, 128))  # 1x1, 3x3 by 2


@tf.keras.utils.register_keras_serializable(package='Mask2CAD')
class OpenImagesDetector(tf.keras.layers.Layer):
  """Every anchor's box and what OpenImages takes it for; never trained."""

  def __init__(self, class_names: Sequence[str], **kwargs):
    """Lists the convolutions.

    Args:
      class_names: of class ids 1, 2, ...; those of
        conventions.OPENIMAGES_CLASSES are the ones it knows.
      **kwargs: passed to Layer.
    """
    super().__init__(
      **{**kwargs, 'dtype': tf.float32, 'trainable': False, 'autocast': False}
    )
    self._class_names = list(class_names)
    # In the order of the computation, which is that of the weights' file.
    self.convolutions: List[tf.keras.layers.Layer] = _convolutions()

  @property
  def classes(self) -> Tuple[int, ...]:
    """Ids of the classes that it knows, ascending."""
    return tuple(
      index
      for index, name in enumerate(self._class_names, start=1)
      if name in conventions.OPENIMAGES_CLASSES
    )

  def call(
    self, images: tf.Tensor, image_shape: tf.Tensor
  ) -> Tuple[tf.Tensor, tf.Tensor]:
    """Detects, without non-maximum suppression.

    Args:
      images: [B, H, W, 3], as preprocess_ops.normalize_image leaves them.
      image_shape: [B, 2], height and width without padding.

    Returns:
      Boxes [B, 1917, 4], yxyx, pixels of `images`, inside the photo; and
      probabilities [B, 1917, len(classes)], independent of each other.
    """
    size = tf.cast(image_shape, tf.float32)
    offsets, logits = self._run(_resized(images, size))
    boxes = _decode(offsets) * tf.tile(size, [1, 2])[:, tf.newaxis]
    known = list(conventions.OPENIMAGES_CLASSES)
    columns = [known.index(self._class_names[i - 1]) for i in self.classes]
    return boxes, tf.sigmoid(tf.gather(logits, columns, axis=-1))

  def endpoints(self, pixels: tf.Tensor) -> Dict[str, tf.Tensor]:
    """What its MobileNetV2 makes of pictures of any size.

    Args:
      pixels: [B, H, W, 3] in -1..1.

    Returns:
      Level '1' to '5' to features: l has stride 2^l; 16, 24, 32, 96, 320
      channels.
    """
    layers = iter(self.convolutions)
    levels = {}
    for level, features in _bottlenecks(pixels, layers):
      if level == _EXPANSION:
        next(layers), next(layers)  # which look at it
      else:
        levels[level] = features
    return levels

  def _run(self, x: tf.Tensor) -> Tuple[tf.Tensor, tf.Tensor]:
    """Raw offsets [B, 1917, 4] and logits [B, 1917, K] of pixels in -1..1."""
    layers = iter(self.convolutions)
    offsets, logits = [], []

    def look(features: tf.Tensor) -> None:
      for values, width in ((offsets, 4), (logits, _num_known())):
        found = next(layers)(features)
        cells = found.shape[1] * found.shape[2] * found.shape[3] // width
        values.append(tf.reshape(found, [-1, cells, width]))

    for level, features in _bottlenecks(x, layers):
      if level == _EXPANSION:
        look(features)
    x = next(layers)(features)
    look(x)
    for _ in _EXTRA:
      x = next(layers)(x)
      x = next(layers)(x)
      look(x)
    return tf.concat(offsets, axis=1), tf.concat(logits, axis=1)

  def get_config(self) -> Dict[str, Any]:
    """The constructor's arguments."""
    return {**super().get_config(), 'class_names': self._class_names}


def _bottlenecks(
  x: tf.Tensor, layers: Iterator[tf.keras.layers.Layer]
) -> Iterator[Tuple[str, tf.Tensor]]:
  """MobileNetV2's levels, and _EXPANSION, while the layers are taken."""
  x = next(layers)(x)
  for index, stage in enumerate(_STAGES):
    for repeat in range(stage.repeats):
      inputs = x
      if stage.expand_ratio > 1:
        x = next(layers)(x)
      if (index, repeat) == _FIRST_LOOK:
        yield _EXPANSION, x
      x = next(layers)(x)
      x = next(layers)(x)
      if repeat:
        x += inputs
    if stage.level:
      yield stage.level, x


def _num_known() -> int:
  return len(conventions.OPENIMAGES_CLASSES)


def _convolutions() -> List[tf.keras.layers.Layer]:
  layers: List[tf.keras.layers.Layer] = []

  def conv(filters, kernel_size=1, strides=1, activation='relu6') -> None:
    layers.append(
      tf.keras.layers.Conv2D(
        filters,
        kernel_size,
        strides,
        padding='same',
        activation=activation,
        kernel_initializer='zeros',
        dtype=tf.float32,
        name=f'conv_{len(layers)}',
      )
    )

  def depthwise(strides) -> None:
    layers.append(
      tf.keras.layers.DepthwiseConv2D(
        3,
        strides,
        padding='same',
        activation='relu6',
        depthwise_initializer='zeros',
        dtype=tf.float32,
        name=f'conv_{len(layers)}',
      )
    )

  def look(anchors) -> None:
    conv(4 * anchors, activation=None)
    conv(_num_known() * anchors, activation=None)

  conv(_STEM_FILTERS, 3, 2)
  channels = _STEM_FILTERS
  for index, stage in enumerate(_STAGES):
    for repeat in range(stage.repeats):
      if stage.expand_ratio > 1:
        conv(channels * stage.expand_ratio)
      if (index, repeat) == _FIRST_LOOK:
        look(_ANCHORS[0])
      depthwise(1 if repeat else stage.strides)
      conv(stage.filters, activation=None)
      channels = stage.filters
  conv(_LAST_FILTERS)
  look(_ANCHORS[1])
  for (narrow, wide), anchors in zip(_EXTRA, _ANCHORS[2:]):
    conv(narrow)
    conv(wide, 3, 2)
    look(anchors)
  return layers


def _resized(images: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
  """The photos, without padding, [B, 300, 300, 3] in -1..1."""
  rows = _interpolation(size[:, 0], images.shape[1])
  columns = _interpolation(size[:, 1], images.shape[2])
  images = tf.cast(images, tf.float32)
  images = tf.einsum('bih,bhwc->biwc', rows, images)
  images = tf.einsum('bjw,biwc->bijc', columns, images)
  return images * PIXEL_SCALE + PIXEL_SHIFT


def _interpolation(size: tf.Tensor, count: int) -> tf.Tensor:
  """What each of `count` pixels gives to each of 300: float32 [B, 300, count].

  Args:
    size: [B], the first pixels, which the 300 are spread over.
    count: pixels in all.
  """
  size = size[:, tf.newaxis]
  places = (tf.range(_SIDE, dtype=tf.float32) + 0.5) / _SIDE * size - 0.5
  places = tf.clip_by_value(places, 0.0, size - 1.0)[..., tf.newaxis]
  distances = tf.abs(places - tf.range(count, dtype=tf.float32))
  return tf.maximum(1.0 - distances, 0.0)


def _decode(offsets: tf.Tensor) -> tf.Tensor:
  """Boxes yxyx in shares of the photo, clipped to it."""
  anchors = _anchors()
  centers = offsets[..., :2] * _CENTER_VARIANCE * anchors[:, 2:]
  centers += anchors[:, :2]
  half = 0.5 * tf.exp(offsets[..., 2:] * _SIZE_VARIANCE) * anchors[:, 2:]
  boxes = tf.concat([centers - half, centers + half], axis=-1)
  return tf.clip_by_value(boxes, 0.0, 1.0)


def _anchors() -> np.ndarray:
  """Centre yx and height, width, in shares of the photo: float32 [1917, 4]."""
  scales = np.linspace(_LEAST_SCALE, _MOST_SCALE, len(_GRIDS)).tolist()
  anchors = []
  for index, cells in enumerate(_GRIDS):
    if index == 0:  # scale, width over height
      kinds = [(0.1, 1.0), (scales[0], 2.0), (scales[0], 0.5)]
    else:
      next_scale = ([*scales, 1.0])[index + 1]
      kinds = [(scales[index], ratio) for ratio in (1.0, 2.0, 0.5, 3.0, 1 / 3)]
      kinds.append(((scales[index] * next_scale) ** 0.5, 1.0))
    kinds = np.array([(s / r**0.5, s * r**0.5) for s, r in kinds])
    centers = (np.arange(cells) + 0.5) / cells
    grid = np.stack(np.meshgrid(centers, centers, indexing='ij'), axis=-1)
    grid = np.repeat(grid.reshape(-1, 1, 2), len(kinds), axis=1)
    sizes = np.broadcast_to(kinds, grid.shape)
    anchors.append(np.concatenate([grid, sizes], axis=-1).reshape(-1, 4))
  return np.concatenate(anchors).astype(np.float32)
