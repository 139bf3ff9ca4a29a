"""The reading side of record folders: shards and their manifest."""

import glob
import os
from typing import Any
from typing import Dict
from typing import Iterable
from typing import Iterator
from typing import List
from typing import Mapping
from typing import Optional
from typing import Sequence
from typing import Union

import numpy as np
import tensorflow as tf

from mask2cad_tf.data import schema
from mask2cad_tf.foreign import json_files

# Of a TFRecord file: a record is its length, a checksum, itself, a checksum.
_LENGTH, _CHECKSUM = 8, 4


def match(pattern: Union[str, Sequence[str]]) -> List[str]:
  """Shards that a pattern names.

  Args:
    pattern: a glob, several joined by commas, or a list of them.

  Returns:
    The matching files, sorted, without duplicates.

  Raises:
    FileNotFoundError: if one of the patterns matches no file.
  """
  parts = pattern.split(',') if isinstance(pattern, str) else pattern
  files = set()
  for part in parts:
    found = glob.glob(part.strip())
    if not found:
      raise FileNotFoundError(
        f'No record file matches {part.strip()!r}. Write image records with '
        'python -m tfrecords_tools.pix3d, view records with '
        'python -m tfrecords_tools.render_views, or correct the pattern.'
      )
    files.update(found)
  return sorted(files)


def dataset(paths: Union[str, Sequence[str]]) -> tf.data.Dataset:
  """Serialized examples of shards, each of them `sound`."""
  return tf.data.TFRecordDataset(paths).map(sound)


def sound(record: tf.Tensor) -> tf.Tensor:
  """A record, once it is known to be a whole protocol buffer.

  TensorFlow's parser of examples is made for speed: it believes the length of
  a list of floats and copies what lies behind the record.

  Args:
    record: string scalar.

  Returns:
    The same.

  Raises:
    tf.errors.DataLossError: it is none.
  """
  counts, _ = tf.io.decode_proto(
    record, 'tensorflow.Example', ['features'], [tf.string], sanitize=True
  )
  # Never negative; a graph would drop what nothing is taken from.
  return tf.where(counts[0] >= 0, record, '')


def read(paths: Iterable[str]) -> Iterator[bytes]:
  """Serialized examples of the shards, one after the other.

  Args:
    paths: record files.

  Yields:
    Serialized tf.train.Example.

  Raises:
    FileNotFoundError: if a shard is not there.
    ValueError: if a shard is truncated, damaged or no TFRecord file; it is
      named.
  """
  for path in paths:
    try:
      for record in dataset(path):
        yield record.numpy()
    except tf.errors.NotFoundError as error:
      raise FileNotFoundError(f'There is no record file {path!r}.') from error
    except tf.errors.DataLossError as error:
      raise ValueError(
        f'{path!r} is truncated, damaged or no TFRecord file '
        f'({error.message}). Copy it again, or write the records anew.'
      ) from error


def count(paths: Iterable[str]) -> int:
  """How many whole examples the shards hold; only lengths are read.

  Args:
    paths: record files; a broken one counts as far as it can be followed.
  """
  number = 0
  for path in paths:
    place, size = 0, os.path.getsize(path)
    with open(path, 'rb') as file:
      while place < size:
        file.seek(place)
        length = int.from_bytes(file.read(_LENGTH), 'little')
        place += _LENGTH + _CHECKSUM + length + _CHECKSUM
        number += place <= size
  return number


def manifest_section(path: str) -> Optional[Dict[str, Any]]:
  """What the manifest beside a shard says about the shard's record set.

  Args:
    path: '<folder>/<name>.tfrecord-00000-of-00004'.

  Returns:
    The section of that name, or None where there is no manifest or no section.

  Raises:
    ValueError: the manifest is damaged.
  """
  manifest_path = os.path.join(os.path.dirname(path), schema.MANIFEST_FILE)
  if not os.path.exists(manifest_path):
    return None
  manifest = json_files.read(manifest_path)
  name = os.path.basename(path).split('.tfrecord')[0]
  try:
    section = manifest['records'].get(name)
    if section is not None:
      _check_section(section)
    return section
  except (AttributeError, KeyError, TypeError, ValueError) as error:
    raise ValueError(
      f'{manifest_path!r} is no manifest of records ({error!r}). Copy it '
      'again, or write the records anew.'
    ) from error


def _check_section(section: Mapping[str, Any]) -> None:
  """Raises what a dictionary raises where a section is not as it is written."""
  for entry in section['classes']:
    label, examples = entry['label'], entry['examples']
    if not (
      type(label) is type(examples) is int and label > 0 and examples >= 0
    ):
      raise ValueError(f'class {entry!r}')
    entry['name'].encode()
  for shard in section.get('shards', ()):
    shard['file'].encode()
    if type(shard['bytes']) is not int:
      raise ValueError(f'shard {shard!r}')
  section.get('settings', {}).items()
  if type(section['num_examples']) is not int:
    raise ValueError('num_examples')


def check_sizes(paths: Iterable[str]) -> None:
  """Finds truncated shards before a training run meets them.

  Args:
    paths: record files; those without a manifest are taken as they are.

  Raises:
    ValueError: if a shard has not the size that its manifest gives.
  """
  for path in paths:
    section = manifest_section(path) or {}
    for shard in section.get('shards', ()):
      found = os.path.getsize(path)
      if shard['file'] == os.path.basename(path) and shard['bytes'] != found:
        raise ValueError(
          f'{path!r} has {found} bytes, its manifest says {shard["bytes"]}: '
          'it is truncated or not the file that was written. Copy it again, '
          'or write the records anew.'
        )


def check_classes(paths: Iterable[str], class_names: Sequence[str]) -> None:
  """Refuses records whose class ids mean something else to the model.

  Args:
    paths: record files; those without a manifest are taken as they are.
    class_names: of the ids 1, 2, ...

  Raises:
    ValueError: if a manifest names a class otherwise; says which.
  """
  for path in paths:
    for entry in (manifest_section(path) or {'classes': []})['classes']:
      label, name = entry['label'], entry['name']
      if not 0 < label <= len(class_names) or class_names[label - 1] != name:
        raise ValueError(
          f"{path!r} has class {label} = {name!r}; the model's classes are "
          f'1 = {class_names[0]!r} to {len(class_names)} = '
          f'{class_names[-1]!r}: {", ".join(class_names)}. Set '
          'task.model.class_names and num_classes, or write the records '
          'with the same classes.'
        )


def read_quarantine(path: str) -> List[str]:
  """Source ids of a list of photos that are left out.

  Args:
    path: text file, an id a line; what follows a '#' is a remark.

  Returns:
    The ids.

  Raises:
    FileNotFoundError: if there is no such file.
    ValueError: if a line holds something else than a whole number.
  """
  if not os.path.isfile(path):
    raise FileNotFoundError(
      f'No list of photos to leave out at {path!r}: a text file with a source '
      'id a line. Correct the path, or empty the setting quarantine.'
    )
  with open(path, encoding='utf-8') as file:
    lines = [line.partition('#')[0].strip() for line in file]
  for number, line in enumerate(lines, 1):
    if line and not line.isdecimal():
      raise ValueError(
        f'{path!r}, line {number}: expected the source id of a photo, a whole '
        f'number; found {line!r}.'
      )
  return [line for line in lines if line]


def class_frequencies(paths: Iterable[str], num_classes: int) -> np.ndarray:
  """Share of the images that show each class, from the manifests.

  Args:
    paths: shards of image records.
    num_classes: C, with the background.

  Returns:
    float32 [C]; 0 for the background and for classes never seen.

  Raises:
    FileNotFoundError: if a shard has no manifest.
  """
  sections = {}
  for path in paths:
    section = manifest_section(path)
    if section is None:
      raise FileNotFoundError(
        f'{path!r} has no {schema.MANIFEST_FILE} beside it, which repeat-'
        'factor sampling takes the class frequencies from. Copy the manifest '
        'along with its shards, or set repeat_threshold to 0.'
      )
    sections[path.split('.tfrecord')[0]] = section
  counts = np.zeros(num_classes, np.float64)
  for section in sections.values():
    for entry in section['classes']:
      counts[entry['label']] += entry['examples']
  total = sum(section['num_examples'] for section in sections.values())
  return (counts / max(total, 1)).astype(np.float32)
