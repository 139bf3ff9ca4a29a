"""Samples of pix3d.json or a split of Mesh R-CNN."""

import dataclasses
import os
from typing import Optional
from typing import Tuple

import numpy as np

from tfrecords_tools import pix3d_annotations
from tfrecords_tools.diagnosis import problem
from tfrecords_tools.diagnosis import sample as sample_lib


@dataclasses.dataclass(frozen=True)
class AnnotationSamples:
  """The photos of an annotation file, by number.

  Attributes:
    path: the JSON; photos, masks and model/ lie beside it.
    photos: its photos.
    problems: photos left out because their masks are known to be wrong.
  """

  path: str
  photos: Tuple[pix3d_annotations.Photo, ...]
  problems: Tuple[problem.Problem, ...]

  @classmethod
  def open(cls, path: str) -> 'AnnotationSamples':
    """Reads an annotation file.

    Raises:
      FileNotFoundError: no such file.
      ValueError: it is no such file, or holds no photo.
    """
    photos, defective = pix3d_annotations.read_with_defects(path)
    if not photos:
      raise ValueError(f'{path!r} has no photo with an object.')
    return cls(
      path,
      tuple(photos),
      tuple(
        problem.Problem(
          'known_defect',
          name,
          'The mask is known to belong to another photo; pix3d leaves it out.',
          problem.WARNING,
          path,
        )
        for name in defective
      ),
    )

  def __len__(self) -> int:
    return len(self.photos)

  def read(self, index: int) -> sample_lib.Sample:
    """The photo of a number below len."""
    photo = self.photos[index]
    return sample_lib.Sample(
      name=photo.image,
      place=self.path,
      encoded=self._bytes(photo.image),
      size=None,
      intrinsics=np.array(photo.intrinsics, np.float64),
      objects=tuple(self._object(item) for item in photo.objects),
    )

  def _object(
    self, item: pix3d_annotations.Annotation
  ) -> sample_lib.SampleObject:
    return sample_lib.SampleObject(
      label=None,
      label_name=item.label_name,
      box=np.array(item.box, np.float64),
      mask=self._bytes(item.mask),
      mask_name=item.mask,
      amodal_mask=None,
      occluded_share=None,
      cad_id=item.cad_id,
      mesh=item.mesh,
      rotation=item.rotation,
      translation=item.translation,
      occluded=item.occluded or item.slightly_occluded,
      truncated=item.truncated,
    )

  def _bytes(self, name: str) -> Optional[bytes]:
    path = os.path.join(os.path.dirname(self.path), name)
    if not os.path.isfile(path):
      return None
    with open(path, 'rb') as file:
      return file.read()
