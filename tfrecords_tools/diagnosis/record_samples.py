"""Samples of image records, read at any place of their shards."""

import dataclasses
import os
import struct
from typing import Any
from typing import Dict
from typing import Iterator
from typing import List
from typing import Tuple

import numpy as np
import tensorflow as tf
from google.protobuf import message

from mask2cad_tf import conventions
from mask2cad_tf.data import record_files
from mask2cad_tf.data import schema
from mask2cad_tf.geometry import rotations
from tfrecords_tools.diagnosis import problem
from tfrecords_tools.diagnosis import sample as sample_lib

_HEADER_BYTES, _FOOTER_BYTES = 12, 4  # of a TFRecord: length and checksums


@dataclasses.dataclass(frozen=True)
class RecordSamples:
  """Image records by number.

  Attributes:
    shards: files.
    entries: (shard's index, record's number in it, offset, bytes) of each.
    settings: the settings that the manifest remembers.
    classes: label -> name of the manifests.
  """

  shards: Tuple[str, ...]
  entries: Tuple[Tuple[int, int, int, int], ...]
  settings: Dict[str, Any]
  classes: Dict[int, str]

  def __len__(self) -> int:
    return len(self.entries)

  def read(self, index: int) -> sample_lib.Sample:
    """The record of a number below len.

    Raises:
      ValueError: it is no image record; says which.
    """
    shard, number, offset, length = self.entries[index]
    with open(self.shards[shard], 'rb') as file:
      file.seek(offset)
      serialized = file.read(length)
    return _sample(serialized, f'{self.shards[shard]}:{number}')


def open_records(
  pattern: str,
) -> Tuple[RecordSamples, Tuple[problem.Problem, ...]]:
  """Finds the image records of a pattern and checks their shards.

  View records are passed over.

  Args:
    pattern: as `record_files.match`.

  Returns:
    The records, those of broken shards up to the break, and the breaks.

  Raises:
    FileNotFoundError: nothing matches.
    ValueError: no image record is among them, or a file of something else.
  """
  shards: List[str] = []
  entries: List[Tuple[int, int, int, int]] = []
  problems: List[problem.Problem] = []
  settings: Dict[str, Any] = {}
  classes: Dict[int, str] = {}
  for path in record_files.match(pattern):
    broken = _broken_at(path)
    found = list(_entries(path, len(shards), broken))
    if found and not _holds_images(path, found[0]):
      continue
    if broken is not None:
      problems.append(_truncated(path, broken))
    shards.append(path)
    entries.extend(found)
    section = record_files.manifest_section(path) or {}
    settings.update(section.get('settings', {}))
    classes.update({x['label']: x['name'] for x in section.get('classes', [])})
  if not entries and not problems:
    raise ValueError(
      f'{pattern!r} matches no image records. Write them with python -m '
      'tfrecords_tools.pix3d or tfrecords_tools.synthesize, or correct the '
      'pattern.'
    )
  source = RecordSamples(tuple(shards), tuple(entries), settings, classes)
  return source, tuple(problems)


def class_names(source: RecordSamples) -> Tuple[str, ...]:
  """Class names of labels 1, 2, ... by the manifests; () where they say none.

  The settings' own list counts first, then Pix3D's or ScanNet's where the
  names that occur are theirs.
  """
  if source.settings.get('class_names'):
    return tuple(source.settings['class_names'])
  for known in (conventions.PIX3D_CLASSES, conventions.SCANNET_CLASSES):
    if source.classes.items() <= dict(enumerate(known, start=1)).items():
      return known
  return tuple(
    source.classes.get(label, f'class {label}')
    for label in range(1, max(source.classes) + 1)
  )


def _broken_at(path: str) -> Any:
  """Number of whole records before a break; None where there is no break."""
  count = size = 0
  try:
    for batch in (
      tf.data.TFRecordDataset(path).map(tf.strings.length).batch(512)
    ):
      count += len(batch)
      size += int(tf.reduce_sum(tf.cast(batch, tf.int64)))
  except tf.errors.DataLossError:
    return _whole_records(path)
  # TensorFlow takes a piece of a header for the end of the file.
  size += count * (_HEADER_BYTES + _FOOTER_BYTES)
  return None if size == os.path.getsize(path) else count


def _whole_records(path: str) -> int:
  """Records before the first that does not read."""
  count = 0
  try:
    for _ in record_files.read([path]):
      count += 1
  except ValueError:
    pass
  return count


def _entries(
  path: str, shard: int, broken: Any
) -> Iterator[Tuple[int, int, int, int]]:
  """(shard, number, offset, bytes) of each whole record."""
  end = os.path.getsize(path)
  with open(path, 'rb') as file:
    offset, number = 0, 0
    while offset < end and (broken is None or number < broken):
      file.seek(offset)
      (length,) = struct.unpack('<Q', file.read(8))
      yield shard, number, offset + _HEADER_BYTES, length
      offset += _HEADER_BYTES + length + _FOOTER_BYTES
      number += 1


def _holds_images(path: str, entry: Tuple[int, int, int, int]) -> bool:
  with open(path, 'rb') as file:
    file.seek(entry[2])
    serialized = file.read(entry[3])
  try:
    example = tf.train.Example.FromString(serialized)
  except message.DecodeError as error:
    raise ValueError(
      f'{path!r} holds records that are no tf.train.Example ({error}).'
    ) from error
  return schema.IMAGE_ENCODED in example.features.feature


def _truncated(path: str, whole: int) -> problem.Problem:
  return problem.Problem(
    'truncated_records',
    path,
    f'The file breaks off or is damaged after {whole} records. Copy it again, '
    'or write the records anew.',
    place=path,
  )


def _sample(serialized: bytes, place: str) -> sample_lib.Sample:
  try:
    feature = tf.train.Example.FromString(serialized).features.feature
    return _read(feature, place)
  except (IndexError, ValueError, message.DecodeError) as error:
    raise ValueError(
      f'{place} is no complete image record ({error}). Write it with '
      'record_examples.image_example.'
    ) from error


def _read(feature: Any, place: str) -> sample_lib.Sample:
  def floats(key: str) -> np.ndarray:
    return np.array(feature[key].float_list.value, np.float64)

  height = feature[schema.IMAGE_HEIGHT].int64_list.value[0]
  width = feature[schema.IMAGE_WIDTH].int64_list.value[0]
  boxes = np.stack(
    [
      floats(key)
      for key in (
        schema.BOX_YMIN,
        schema.BOX_XMIN,
        schema.BOX_YMAX,
        schema.BOX_XMAX,
      )
    ],
    axis=-1,
  ) * [height, width, height, width]
  intrinsics = floats(schema.INTRINSICS)
  if len(intrinsics) != 4:
    raise ValueError(f'{schema.INTRINSICS} has {len(intrinsics)} values, not 4')
  return sample_lib.Sample(
    name=feature[schema.IMAGE_FILENAME].bytes_list.value[0].decode(),
    place=place,
    encoded=feature[schema.IMAGE_ENCODED].bytes_list.value[0],
    size=(height, width),
    intrinsics=intrinsics,
    objects=tuple(
      _object(feature, floats, index, boxes[index])
      for index in range(len(feature[schema.CLASS_LABEL].int64_list.value))
    ),
  )


def _object(
  feature: Any, floats: Any, index: int, box: np.ndarray
) -> sample_lib.SampleObject:
  amodal = feature[schema.AMODAL_MASK].bytes_list.value
  shares = floats(schema.OCCLUDED_SHARE)
  scales = floats(schema.CAD_SCALE).reshape(-1, 3)
  quaternion = floats(schema.ROTATION).reshape(-1, 4)[index]
  return sample_lib.SampleObject(
    label=int(feature[schema.CLASS_LABEL].int64_list.value[index]),
    label_name=feature[schema.CLASS_TEXT].bytes_list.value[index].decode(),
    box=box,
    mask=feature[schema.MASK].bytes_list.value[index],
    mask_name=f'mask {index}',
    amodal_mask=amodal[index] if len(amodal) else None,
    occluded_share=float(shares[index]) if len(shares) else None,
    cad_id=feature[schema.CAD_ID].bytes_list.value[index].decode(),
    mesh=feature[schema.CAD_MESH].bytes_list.value[index].decode(),
    rotation=_matrix(quaternion),
    translation=floats(schema.TRANSLATION).reshape(-1, 3)[index],
    scale=tuple(scales[index]) if len(scales) else (1.0, 1.0, 1.0),
    occluded=bool(feature[schema.OCCLUDED].int64_list.value[index]),
    truncated=bool(feature[schema.TRUNCATED].int64_list.value[index]),
  )


def _matrix(quaternion: np.ndarray) -> np.ndarray:
  """[3, 3]; a quaternion of another length than 1 gives no rotation."""
  length = np.linalg.norm(quaternion)
  if not length > 0:
    return np.zeros((3, 3))
  return length**2 * rotations.matrix_from_quaternion(quaternion / length)
