"""Small objects seen again, larger: the network on a window around each.

The network sees a photo at one size, 320 pixels in the shipped model: a chair
at the far end of a room is a few cells of its features. Cut out of the photo's
own pixels it is as large as one that stands close.
"""

from typing import Dict
from typing import List
from typing import Mapping
from typing import NamedTuple
from typing import Optional
from typing import Sequence

import numpy as np
import tensorflow as tf

from mask2cad_tf.serving import mask2cad_module

_WINDOW = 2.0  # side of a window in the longer sides of its object's box
_LEAST = 4.0  # pixels of a side: less shows nothing
# What a closer look says anew, as it is and in the pixels of the window.
_SAID = (
  'detection_masks',
  'detection_embeddings',
  'detection_pose_bins',
  'detection_rotations',
  'detection_cads',
  'detection_cad_ids',
  'detection_cad_scores',
)
_SHIFTED = ('detection_outer_boxes', 'detection_centers')


class _Window(NamedTuple):
  """Pixels [top, bottom) x [left, right) around detection `index`."""

  index: int
  top: int
  left: int
  bottom: int
  right: int


class CloserLook:
  """`Mask2CADModule` whose small objects' masks, CADs and poses are seen anew.

  Boxes, classes and scores stay the first look's.
  """

  def __init__(self, module: mask2cad_module.Mask2CADModule):
    """Takes the module that looks, at the photo and at windows of it."""
    self._module = module

  def predict(
    self, image: np.ndarray, intrinsics: np.ndarray
  ) -> Dict[str, tf.Tensor]:
    """As Mask2CADModule's."""
    outputs = self._module.predict(image, intrinsics)
    return self._look(image, intrinsics, outputs)

  def predict_boxes(
    self,
    image: np.ndarray,
    intrinsics: np.ndarray,
    boxes: np.ndarray,
    classes: Optional[np.ndarray] = None,
  ) -> Dict[str, tf.Tensor]:
    """As Mask2CADModule's."""
    outputs = self._module.predict_boxes(image, intrinsics, boxes, classes)
    return self._look(image, intrinsics, outputs)

  def _look(
    self,
    image: np.ndarray,
    intrinsics: np.ndarray,
    outputs: Mapping[str, tf.Tensor],
  ) -> Dict[str, tf.Tensor]:
    """The outputs with what closer looks say."""
    found = {key: value.numpy() for key, value in outputs.items()}
    windows = _windows(found, image.shape)
    if not windows:
      return dict(outputs)
    closer = self._infer(image, intrinsics, found, windows)
    rows = [window.index for window in windows]
    corners = np.array([[w.top, w.left] for w in windows], np.float32)
    for key in _SAID:
      found[key][0, rows] = closer[key]
    for key in _SHIFTED:
      shift = np.tile(corners, 2) if 'boxes' in key else corners[:, ::-1]
      found[key][0, rows] = closer[key] + shift
    return {
      key: tf.constant(value.tolist() if value.dtype == object else value)
      for key, value in found.items()
    }

  def _infer(
    self,
    image: np.ndarray,
    intrinsics: np.ndarray,
    found: Mapping[str, np.ndarray],
    windows: List[_Window],
  ) -> Dict[str, np.ndarray]:
    """The module's outputs [n, ...] of the windows' objects, window pixels."""
    inputs, infos = zip(
      *(
        self._module.preprocess(
          image[np.newaxis, w.top : w.bottom, w.left : w.right]
        )
        for w in windows
      )
    )
    rows = [window.index for window in windows]
    corners = np.array([[w.top, w.left] for w in windows], np.float32)
    cameras = np.tile(np.asarray(intrinsics, np.float32), (len(rows), 1))
    cameras[:, 2:] -= corners[:, ::-1]
    boxes = found['detection_boxes'][0, rows] - np.tile(corners, 2)
    outputs = self._module.infer(
      tf.concat(inputs, axis=0),
      tf.concat(infos, axis=0),
      tf.constant(cameras),
      tf.constant(boxes[:, np.newaxis]),
      tf.constant(found['detection_classes'][0, rows][:, np.newaxis]),
    )
    return {key: outputs[key].numpy()[:, 0] for key in (*_SAID, *_SHIFTED)}


def _windows(
  found: Mapping[str, np.ndarray], shape: Sequence[int]
) -> List[_Window]:
  """Windows around the detections whose windows are smaller than the photo."""
  size = np.array(shape[:2], np.float64)
  windows = []
  for index in range(int(found['num_detections'][0])):
    box = found['detection_boxes'][0, index].astype(np.float64)
    middle, side = (
      0.5 * (box[:2] + box[2:]),
      _WINDOW * (box[2:] - box[:2]).max(),
    )
    if not _LEAST <= side < size.max():
      continue
    low = np.floor(np.maximum(middle - 0.5 * side, 0.0)).astype(int)
    high = np.ceil(np.minimum(middle + 0.5 * side, size)).astype(int)
    windows.append(_Window(index, *low, *high))
  return windows
