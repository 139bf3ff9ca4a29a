"""What a new model has from files: priors, rotations, a foreign detector."""

from typing import NamedTuple
from typing import Tuple

import numpy as np

from mask2cad_tf import packaged_model
from mask2cad_tf.configs import mask2cad as mask2cad_cfg
from mask2cad_tf.geometry import view_medoids
from mask2cad_tf.modeling import mask2cad_model
from mask2cad_tf.modeling import packed_weights
from mask2cad_tf.modeling import shape_priors


class Assets(NamedTuple):
  """What files give to the weights.

  Attributes:
    priors: float [C, num_priors, M, M], of the shapes of masks.
    rotations: float [C, K, 4], wxyz, of the bins.
    valid: float [C, K], 0 or 1.
    view_rotations: float [C, V, 4], wxyz, of a gallery's views.
    views_valid: float [C, V], 0 or 1.
  """

  priors: np.ndarray
  rotations: np.ndarray
  valid: np.ndarray
  view_rotations: np.ndarray
  views_valid: np.ndarray

  def assign_to(self, model: mask2cad_model.Mask2CADModel) -> None:
    """Gives them to a model, and the packaged detector where it asks it."""
    model.shape_prior_head.priors.assign(self.priors)
    decoder = model.pose_decoder
    decoder.bins.assign(self.rotations)
    decoder.bins_valid.assign(self.valid)
    decoder.view_rotations.assign(self.view_rotations)
    decoder.views_valid.assign(self.views_valid)
    if model.openimages_detector is not None:
      packed_weights.read_part(
        'openimages_detector',
        model.openimages_detector,
        packaged_model.folder(),
      )


def read(config: mask2cad_cfg.Mask2CAD) -> Assets:
  """Reads the files that a configuration names.

  Args:
    config: of the model.

  Raises:
    FileNotFoundError: priors or rotations are missing.
    ValueError: they do not fit the configuration.
  """
  priors = shape_priors.load(
    config.shapemask.priors_path,
    config.class_names,
    config.shapemask.num_priors,
    config.roi.crop_size,
  )
  pose = config.pose
  bins = _read_rotations(config, pose.medoids_path, pose.num_bins, 'num_bins')
  views = bins
  if pose.num_view_rotations:
    views = _read_rotations(
      config,
      pose.view_rotations_path,
      pose.num_view_rotations,
      'num_view_rotations',
    )
  return Assets(priors, *bins, *views)


def _read_rotations(
  config: mask2cad_cfg.Mask2CAD, path: str, count: int, name: str
) -> Tuple[np.ndarray, np.ndarray]:
  """Rotations [C, count, 4] and which are valid [C, count], 0 or 1."""
  rotations, valid, meta = view_medoids.load(path, config.class_names)
  if meta['rotation_frame'] != config.pose.rotation_frame:
    raise ValueError(
      f'model.pose.rotation_frame is {config.pose.rotation_frame!r}, but the '
      f'medoids {path!r} are in the frame {meta["rotation_frame"]!r}. Build '
      'them again: python -m tfrecords_tools.build_pose_medoids '
      f'--rotation_frame={config.pose.rotation_frame}'
    )
  if rotations.shape[1] != count:
    raise ValueError(
      f'model.pose.{name} is {count}, but {path!r} has '
      f'{rotations.shape[1]} medoids per class. Make them equal.'
    )
  return rotations, valid.astype(np.float32)
