"""How far annotated silhouettes are from the objects' own pixels.

  python -m tests.benchmarks.annotation_limit --model=MODEL --gallery=GALLERY \
    --library=PIX3D/model --records='real43/images*'

In a photo on a plain ground the object's own pixels are those that differ from
the ground: no network, no annotation. Where the annotated silhouette is
compared with them, its overlap says what a perfect mask could score. The true
CAD, fitted to them from the annotated pose, says by how much that pose is off.
Photos in which something else touches the object are left out. Prints a line
an object and the means.
"""

from typing import Optional
from typing import Sequence

import numpy as np
from absl import flags
from scipy import ndimage

from mask2cad_tf import command_line
from mask2cad_tf.evaluation import mask_iou
from mask2cad_tf.evaluation import photo_records
from mask2cad_tf.evaluation import pose_errors
from mask2cad_tf.geometry import box_overlap
from mask2cad_tf.geometry import meshes
from mask2cad_tf.modeling import model_folder
from mask2cad_tf.refinement import refiner
from mask2cad_tf.retrieval import gallery as gallery_lib
from mask2cad_tf.scene import masks
from mask2cad_tf.serving import mask2cad_module

FLAGS = flags.FlagValues()  # apart from other commands' flags
_MODEL = flags.DEFINE_string('model', None, 'Model folder.', flag_values=FLAGS)
_GALLERY = flags.DEFINE_string(
  'gallery', None, 'Its gallery.', flag_values=FLAGS
)
_LIBRARY = flags.DEFINE_string(
  'library', None, 'CADs of the records.', flag_values=FLAGS
)
_RECORDS = flags.DEFINE_string(
  'records', None, 'Image records, a glob.', flag_values=FLAGS
)

_RIM = 0.02  # of the photo's shorter side: shows the ground
_PLAIN = 6.0  # grey levels, mean deviation of a plain rim from its median
_DIFFERS = 18.0  # grey levels
_SAME_EXTENT = 0.85  # IoU of boxes; less: something else touches the object


def own_pixels(
  image: np.ndarray, annotated: np.ndarray
) -> Optional[np.ndarray]:
  """The object's pixels by the ground's colour alone.

  Args:
    image: uint8 [H, W, 3].
    annotated: bool [H, W]; says which object, and whether it stands alone.

  Returns:
    bool [H, W]; None where the ground is not plain or the object not alone.
  """
  rim = max(2, int(_RIM * min(image.shape[:2])))
  inner = np.zeros(image.shape[:2], bool)
  inner[rim:-rim, rim:-rim] = True
  ground = np.median(image[~inner], axis=0)
  difference = np.abs(image - ground).max(axis=2)
  if difference[~inner].mean() > _PLAIN:
    return None
  other = ndimage.binary_closing(difference > _DIFFERS, iterations=2)
  other = ndimage.binary_fill_holes(other)
  parts, count = ndimage.label(ndimage.binary_dilation(other, iterations=2))
  votes = np.bincount(parts[annotated], minlength=count + 1)
  votes[0] = 0
  own = (parts == votes.argmax()) & other
  if not votes.any() or not own.any():
    return None
  overlap = box_overlap.box_iou(_extent(own), _extent(annotated)[np.newaxis])
  return own if overlap.item() > _SAME_EXTENT else None


def _extent(mask: np.ndarray) -> np.ndarray:
  rows, columns = np.nonzero(mask)
  return np.array(
    [rows.min(), columns.min(), rows.max() + 1, columns.max() + 1], np.float64
  )


def _module() -> mask2cad_module.Mask2CADModule:
  model, config = model_folder.load(_MODEL.value)
  gallery = gallery_lib.load(
    _GALLERY.value,
    model_folder.fingerprint(model),
    tuple(config.task.model.class_names),
  )
  return mask2cad_module.Mask2CADModule(model, config.task, gallery, top_k=1)


def _predicted(module, photo, cad) -> np.ndarray:
  outputs = module.predict_boxes(
    photo.image,
    photo.intrinsics.astype(np.float32),
    np.asarray(cad.box, np.float32)[np.newaxis],
    np.array([cad.label], np.int32),
  )
  return masks.paste(
    outputs['detection_masks'][0, 0].numpy(),
    outputs['detection_outer_boxes'][0, 0].numpy(),
    *photo.image.shape[:2],
  )


def _fit(photo, cad, own: np.ndarray) -> refiner.Hypothesis:
  """The true CAD on its own pixels, from the annotated pose."""
  target = refiner.Target(
    photo.image,
    photo.intrinsics,
    _extent(own),
    own.astype(np.float32),
    np.ones(own.shape, bool),
    exact_box=True,
  )
  start = refiner.Candidate(cad.cad_id, 1.0, cad.rotation[np.newaxis])
  return refiner.Refiner(lambda _: meshes.load(cad.mesh)).refine(
    target, [start], top_k=1
  )[0]


def main(argv: Sequence[str]) -> None:
  """Measures every object that stands alone on a plain ground."""
  command_line.reject(argv[1:])
  command_line.require(
    model=_MODEL.value,
    gallery=_GALLERY.value,
    library=_LIBRARY.value,
    records=_RECORDS.value,
  )
  module = _module()
  rows = []
  print(
    'CAD | IoU annotated/own | predicted/annotated | predicted/own'
    ' | fitted/own | fitted turned by, degrees'
  )
  photos = photo_records.read(
    _RECORDS.value, lambda _, path: f'{_LIBRARY.value}/{path}'
  )
  for photo in photos:
    for cad in photo.objects:
      own = own_pixels(photo.image, cad.mask)
      if own is None:
        continue
      predicted = _predicted(module, photo, cad)
      fitted = _fit(photo, cad, own)
      rows.append(
        (
          mask_iou.mask_iou(cad.mask, own),
          mask_iou.mask_iou(predicted, cad.mask),
          mask_iou.mask_iou(predicted, own),
          fitted.silhouette_iou,
          np.degrees(pose_errors.rotation_error(fitted.rotation, cad.rotation)),
        )
      )
      print(cad.cad_id, *(f'{value:.3f}' for value in rows[-1]), sep=' | ')
  print(
    f'mean of {len(rows)}',
    *(f'{value:.3f}' for value in np.mean(rows, axis=0)),
    sep=' | ',
  )


if __name__ == '__main__':
  command_line.run('tests.benchmarks.annotation_limit', main, FLAGS)
