"""The rotation bins of the model, and what the pose heads mean by them."""

from typing import Any
from typing import Dict
from typing import Optional
from typing import Tuple

import tensorflow as tf

from mask2cad_tf.modeling.layers import class_selection
from mask2cad_tf.ops import center_offsets
from mask2cad_tf.ops import pose_bins


@tf.keras.utils.register_keras_serializable(package='Mask2CAD')
class PoseDecoder(tf.keras.layers.Layer):
  """Holds the K medoid rotations of each class; decodes the heads' outputs.

  Two non-trainable weights, in every checkpoint: `bins`, [C, K, 4] wxyz in the
  configured rotation frame, and `bins_valid`, [C, K] 0 or 1 (a class may have
  fewer than K distinct rotations). Likewise `view_rotations` and `views_valid`:
  what galleries render, the bins or a denser set.
  """

  def __init__(
    self,
    num_classes: int,
    num_bins: int,
    num_view_rotations: Optional[int] = None,
    **kwargs,
  ):
    """Initializes identity bins, all valid.

    Args:
      num_classes: C, with the background.
      num_bins: K.
      num_view_rotations: V of a gallery; K if None.
      **kwargs: passed to Layer.
    """
    super().__init__(**kwargs)
    self._config_dict = {
      'num_classes': num_classes,
      'num_bins': num_bins,
      'num_view_rotations': num_view_rotations,
    }
    self.bins, self.bins_valid = self._rotations(num_bins, 'bins', 'bins_valid')
    self.view_rotations, self.views_valid = self._rotations(
      num_view_rotations or num_bins, 'view_rotations', 'views_valid'
    )

  def _rotations(
    self, count: int, name: str, valid_name: str
  ) -> Tuple[tf.Variable, tf.Variable]:
    """Identities, all valid; float32 under a mixed-precision policy too."""
    classes = self._config_dict['num_classes']
    identity = [[[1.0, 0.0, 0.0, 0.0]] * count] * classes
    fixed = {
      'dtype': tf.float32,
      'trainable': False,
      'experimental_autocast': False,
    }
    return (
      self.add_weight(
        name=name,
        shape=[classes, count, 4],
        initializer=tf.keras.initializers.Constant(identity),
        **fixed,
      ),
      self.add_weight(
        name=valid_name, shape=[classes, count], initializer='ones', **fixed
      ),
    )

  def call(
    self,
    bin_logits: tf.Tensor,
    deltas: tf.Tensor,
    offsets: tf.Tensor,
    boxes: tf.Tensor,
    classes: tf.Tensor,
  ) -> Tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Decodes rotation and centre of each object, for its class.

    Args:
      bin_logits: [B, N, C, K].
      deltas: [B, N, C, 1 or K, 4], raw wxyz.
      offsets: [B, N, C, 2], shares of box width and height.
      boxes: [B, N, 4] yxyx, pixels.
      classes: int [B, N].

    Returns:
      rotations: [B, N, 4] wxyz, unit, in the configured rotation frame.
      chosen: int32 [B, N], the arg-max bin.
      centers: [B, N, 2] xy, pixels, image of the CAD's origin.
    """
    logits = class_selection.of_class(bin_logits, classes)  # [B, N, K]
    valid = tf.gather(self.bins_valid, classes)
    logits = tf.where(valid > 0.5, logits, logits.dtype.min)
    chosen = tf.argmax(logits, axis=-1, output_type=tf.int32)
    bins = tf.gather(tf.gather(self.bins, classes), chosen, batch_dims=2)
    deltas = class_selection.of_class(deltas, classes)  # [B, N, 1 or K, 4]
    if deltas.shape[2] == 1:
      delta = deltas[:, :, 0]
    else:
      delta = tf.gather(deltas, chosen, batch_dims=2)
    rotations = pose_bins.apply_delta(delta, bins)
    centers = center_offsets.decode(
      class_selection.of_class(offsets, classes), boxes
    )
    return rotations, chosen, centers

  def get_config(self) -> Dict[str, Any]:
    """The constructor's arguments."""
    return {**super().get_config(), **self._config_dict}
