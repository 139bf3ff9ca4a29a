"""A frame of a scan -> an image record."""

import dataclasses
import os
from typing import Dict
from typing import Sequence
from typing import Tuple

import numpy as np

from mask2cad_tf import conventions
from mask2cad_tf.foreign import pictures
from tfrecords_tools import example_runner
from tfrecords_tools import jittered_view
from tfrecords_tools import record_examples
from tfrecords_tools import scan2cad_annotations
from tfrecords_tools import scan2cad_objects

# As synthesized photos have it.
_OCCLUDED, _SLIGHTLY_OCCLUDED = 0.4, 0.05


@dataclasses.dataclass(frozen=True)
class Options:
  """What determines the records, but the split."""

  scannet_dir: str
  scan2cad_json: str
  shapenet_dir: str
  train_scenes: str = ''
  val_scenes: str = ''
  masks: str = 'visible'
  min_appearances: int = 1000
  jitter_degrees: float = 10.0
  seed: int = 0


class FrameMaker:
  """Makes the record of a split's frame by its index; picklable."""

  def __init__(
    self,
    options: Options,
    folder: str,
    scans: Dict[str, Tuple[scan2cad_annotations.AlignedModel, ...]],
    frames: Sequence[scan2cad_annotations.Frame],
    class_names: Sequence[str],
    keep_empty: bool,
    first_id: int = 0,
  ):
    """Keeps what to make.

    Args:
      options: of the run.
      folder: of the scans.
      scans: CADs of the frames' scans.
      frames: in the order of the records.
      class_names: of the objects that are kept.
      keep_empty: also photos without any object.
      first_id: of the first frame; another split's must differ.
    """
    self._options = options
    self._folder = folder
    self._scans = scans
    self._frames = tuple(frames)
    self._class_names = tuple(class_names)
    self._keep_empty = keep_empty
    self._first_id = first_id
    self._shelf = scan2cad_objects.CadShelf(options.shapenet_dir)

  def __call__(self, index: int) -> example_runner.Made:
    """The record of frame `index`.

    Raises:
      ValueError, OSError: bad input.
    """
    frame = self._frames[index]
    pose = scan2cad_annotations.read_camera_to_world(self._folder, frame)
    path = scan2cad_annotations.photo_path(frame)
    if pose is None:
      return example_runner.Made(
        None, {'frames_without_pose': 1}, f'{path}: ScanNet has no pose of it.'
      )
    intrinsics = scan2cad_annotations.read_intrinsics(
      self._folder, frame.scene_id
    )
    height, width = photo_size(os.path.join(self._folder, path), intrinsics)
    models = self._scans[frame.scene_id]
    seen, counts = scan2cad_objects.label(
      models,
      self._shelf.scaled(frame.scene_id, models),
      pose,
      intrinsics,
      height,
      width,
      self._class_names,
    )
    counts['objects'] = len(seen)
    if not seen:
      counts['frames_without_objects'] = 1
      if not self._keep_empty:
        return example_runner.Made(None, counts)
    rng = np.random.default_rng([self._options.seed, index])
    with open(os.path.join(self._folder, path), 'rb') as file:
      example = record_examples.image_example(
        file.read(),
        path,
        self._first_id + index,
        intrinsics,
        [self._record(item, intrinsics, rng, path) for item in seen],
        frame.scene_id,
        pose,
      )
    return example_runner.Made(
      example.SerializeToString(deterministic=True), counts
    )

  def _record(
    self,
    item: scan2cad_objects.SeenObject,
    intrinsics: Sequence[float],
    rng: np.random.Generator,
    where: str,
  ) -> record_examples.ObjectRecord:
    amodal = self._options.masks == 'amodal'
    return record_examples.ObjectRecord(
      label=1 + conventions.SCANNET_CLASSES.index(item.label_name),
      label_name=item.label_name,
      box=item.box,
      mask=item.amodal_mask if amodal else item.visible_mask,
      cad_id=f'{item.label_name}/{item.model.shape}',
      mesh=item.model.mesh,
      rotation=item.rotation,
      translation=item.translation,
      # Without the scale, as a gallery shows the CAD.
      jittered_view=jittered_view.render(
        self._shelf.as_stored(item.model),
        item.rotation,
        item.translation,
        intrinsics,
        self._options.jitter_degrees,
        rng,
        where,
      ),
      occluded=item.occluded_share > _OCCLUDED,
      slightly_occluded=(_SLIGHTLY_OCCLUDED < item.occluded_share <= _OCCLUDED),
      truncated=item.is_truncated,
      amodal_mask=item.amodal_mask,
      occluded_share=item.occluded_share,
      scale=tuple(item.model.scale),
      symmetry=item.model.symmetry,
    )


def photo_size(path: str, intrinsics: Sequence[float]) -> Tuple[int, int]:
  """Height and width of a photo.

  Raises:
    ValueError: it does not decode, or the camera is of another picture size.
  """
  try:
    with pictures.opened(path) as image:
      width, height = image.size
  except (OSError, ValueError) as error:
    raise ValueError(
      f'{path!r}: the photo does not decode ({error}). Fetch it again, or '
      'leave it out with --skip_broken.'
    ) from error
  middle = np.array(intrinsics[2:]) / [width, height]
  if (np.abs(middle - 0.5) > 0.2).any():
    raise ValueError(
      f'{path!r} has {width} x {height} pixels, but the principal point of '
      f'its camera is {intrinsics[2]:g}, {intrinsics[3]:g}: the photos were '
      'resized. Resize the intrinsics, too, or take the original photos.'
    )
  return height, width
