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
# What a closer look says anew.
_SAID = (
  'detection_masks',
  'detection_embeddings',
  'detection_pose_bins',
  'detection_rotations',
  'detection_cads',
  'detection_cad_ids',
  'detection_cad_scores',
  'detection_outer_boxes',
  'detection_centers',
)


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
    for key, value in closer.items():
      found[key][0, rows] = value
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
    """What is said anew of the windows' objects, [n, ...], photo pixels."""
    inputs, infos = zip(
      *(
        self._module.preprocess(
          image[np.newaxis, w.top : w.bottom, w.left : w.right]
        )
        for w in windows
      )
    )
    rows = [window.index for window in windows]
    left_top = np.array([[w.left, w.top] for w in windows], np.float32)
    box_shifts = np.tile(left_top[:, ::-1], 2)  # yxyx
    cameras = np.tile(np.asarray(intrinsics, np.float32), (len(rows), 1))
    cameras[:, 2:] -= left_top
    boxes = found['detection_boxes'][0, rows] - box_shifts
    outputs = self._module.infer(
      tf.concat(inputs, axis=0),
      tf.concat(infos, axis=0),
      tf.constant(cameras),
      tf.constant(boxes[:, np.newaxis]),
      tf.constant(found['detection_classes'][0, rows][:, np.newaxis]),
    )
    closer = {key: outputs[key].numpy()[:, 0] for key in _SAID}
    closer['detection_outer_boxes'] += box_shifts
    closer['detection_centers'] += left_top
    return closer


def _windows(
  found: Mapping[str, np.ndarray], shape: Sequence[int]
) -> List[_Window]:
  """Windows around the detections whose windows are smaller than the photo."""
  size = np.array(shape[:2], np.float64)
  windows = []
  for index in range(int(found['num_detections'][0])):
    box = found['detection_boxes'][0, index].astype(np.float64)
    middle = 0.5 * (box[:2] + box[2:])
    side = _WINDOW * (box[2:] - box[:2]).max()
    if not _LEAST <= side < size.max():
      continue
    low = np.floor(np.maximum(middle - 0.5 * side, 0.0)).astype(int)
    high = np.ceil(np.minimum(middle + 0.5 * side, size)).astype(int)
    windows.append(_Window(index, *low, *high))
  return windows
