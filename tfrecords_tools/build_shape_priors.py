r"""Image records -> shape priors: k-means of the masks, per class (ShapeMask).

Example:
  python -m tfrecords_tools.build_shape_priors --records='train/images*' \
    --output=train/priors.npz --class_names=bed,bookcase,chair

Masks are taken inside their boxes, 32 x 32, and of the flipped photos too.
"""

import hashlib
import io
import os
from typing import Dict
from typing import List
from typing import Sequence

import numpy as np
import tensorflow as tf
from absl import flags
from PIL import Image
from scipy.cluster import vq

from mask2cad_tf import command_line
from mask2cad_tf import conventions
from mask2cad_tf.data import record_files
from mask2cad_tf.data import schema

FLAGS = flags.FlagValues()
flags.DEFINE_string(
  'records',
  None,
  'Image records of the training split (glob).',
  required=True,
  flag_values=FLAGS,
)
flags.DEFINE_string(
  'output', None, 'The .npz to write.', required=True, flag_values=FLAGS
)
flags.DEFINE_list(
  'class_names',
  list(conventions.PIX3D_CLASSES),
  'As model.class_names.',
  flag_values=FLAGS,
)
flags.DEFINE_boolean(
  'fill_missing',
  False,
  'Give classes that no record shows the priors of all masks together.',
  flag_values=FLAGS,
)
flags.DEFINE_integer(
  'num_priors',
  20,
  'Per class; as model.shapemask.num_priors.',
  flag_values=FLAGS,
)
flags.DEFINE_integer(
  'size', 32, 'Side of a prior; as model.roi.crop_size.', flag_values=FLAGS
)
flags.DEFINE_integer('seed', 0, 'Of the clustering.', flag_values=FLAGS)


def build(
  records: str,
  output: str,
  class_names: Sequence[str] = conventions.PIX3D_CLASSES,
  num_priors: int = 20,
  size: int = 32,
  seed: int = 0,
  fill_missing: bool = False,
) -> None:
  """Clusters the masks of each class and writes their means.

  The .npz holds 'priors', float32 [C, num_priors, size, size] in 0 .. 1 (row 0,
  the background, is the mean of all), 'class_names' and 'source_hash'.

  Args:
    records: glob of image records.
    output: .npz, written atomically.
    class_names: order of the rows 1 .. C - 1.
    num_priors: clusters per class; a class with fewer masks repeats its own.
    size: side of a prior.
    seed: of the clustering.
    fill_missing: whether all masks together stand for classes without any.

  Raises:
    FileNotFoundError: if no record matches.
    ValueError: on broken records, or a class without any mask.
  """
  masks = class_masks(record_files.match(records), size)
  missing = [name for name in class_names if name not in masks]
  if missing and not (fill_missing and masks):
    raise ValueError(
      f'{records!r} shows no object of the classes {", ".join(missing)}. '
      'Give records that do, only the classes they show (--class_names='
      f'{",".join(sorted(masks))}), or --fill_missing.'
    )
  everything = np.concatenate([masks[name] for name in sorted(masks)])
  masks.update({name: everything for name in missing})
  priors = np.stack(
    [cluster(masks[name], num_priors, seed) for name in class_names]
  )
  background = np.broadcast_to(
    priors.mean(axis=(0, 1), keepdims=True), (1,) + priors.shape[1:]
  )
  digest = hashlib.sha256(
    b''.join((masks[name] > 0.5).tobytes() for name in class_names)
  )
  os.makedirs(os.path.dirname(output) or '.', exist_ok=True)
  temporary = f'{output}.{os.getpid()}.tmp'
  with open(temporary, 'wb') as file:
    np.savez(
      file,
      priors=np.concatenate([background, priors]).astype(np.float32),
      class_names=np.array(list(class_names)),
      source_hash=np.array(digest.hexdigest()),
    )
  os.replace(temporary, output)


def class_masks(paths: List[str], size: int) -> Dict[str, np.ndarray]:
  """Masks inside their boxes, each as it is and flipped.

  Args:
    paths: files of image records.
    size: side of the result.

  Returns:
    Class name -> float32 [n, size, size], share of each cell covered.
  """
  by_class: Dict[str, List[np.ndarray]] = {}
  for record in record_files.read(paths):
    feature = tf.train.Example.FromString(record).features.feature
    sides = (
      np.array(
        [
          feature[key].float_list.value
          for key in (
            schema.BOX_XMIN,
            schema.BOX_YMIN,
            schema.BOX_XMAX,
            schema.BOX_YMAX,
          )
        ]
      )
      .reshape(4, -1)
      .T
    )
    for name, png, box in zip(
      feature[schema.CLASS_TEXT].bytes_list.value,
      feature[schema.MASK].bytes_list.value,
      sides,
    ):
      mask = _crop(png, box, size)
      by_class.setdefault(name.decode(), []).extend([mask, mask[:, ::-1]])
  return {name: np.stack(masks) for name, masks in by_class.items()}


def cluster(masks: np.ndarray, count: int, seed: int) -> np.ndarray:
  """K-means with k-means++ seeds.

  Args:
    masks: float [n, size, size].
    count: clusters; beyond the number of distinct masks they repeat.
    seed: of the random generator.

  Returns:
    float [count, size, size], cluster means, the largest cluster first.
  """
  flat = masks.reshape(len(masks), -1).astype(np.float64)
  distinct = np.unique(flat, axis=0)
  if len(distinct) <= count:
    centers, assignment = distinct, vq.vq(flat, distinct)[0]
  else:
    centers, assignment = vq.kmeans2(flat, count, minit='++', seed=seed)
  order = np.argsort(
    -np.bincount(assignment, minlength=len(centers)), kind='stable'
  )
  return centers[np.resize(order, count)].reshape((count,) + masks.shape[1:])


def _crop(png: bytes, box: np.ndarray, size: int) -> np.ndarray:
  with Image.open(io.BytesIO(png)) as image:
    pixels = box * [image.width, image.height, image.width, image.height]
    crop = image.resize((size, size), Image.Resampling.BOX, box=tuple(pixels))
    return np.asarray(crop, np.float32) / 255.0


def main(argv: Sequence[str]) -> None:
  """Runs the tool with its flags."""
  command_line.reject(argv[1:])
  build(
    FLAGS.records,
    FLAGS.output,
    FLAGS.class_names,
    FLAGS.num_priors,
    FLAGS.size,
    FLAGS.seed,
    FLAGS.fill_missing,
  )


if __name__ == '__main__':
  command_line.run('tfrecords_tools.build_shape_priors', main, FLAGS)
