"""Writes record folders: sharded, atomic, with a manifest.

A folder may hold several record sets ('images', 'views'). The shards of a set
appear all at once, when it is complete; after an error the folder is as before.

manifest.json:
  {"format_version": 1,
   "records": {"images": {
       "num_examples": 120,
       "classes": [{"label": 1, "name": "bed", "examples": 40, "objects": 41}],
       "shards": [{"file": ..., "bytes": ..., "sha256": ..., "examples": ...}],
       "settings": {...}, "skipped": [...], "package_version": "0.1.0",
       "counts": {...}, "fingerprint": ...}}}

The last two only where `example_runner` made the records.
"""

import glob
import hashlib
import json
import os
from typing import Any
from typing import Dict
from typing import List
from typing import Optional

import tensorflow as tf

import mask2cad_tf
from mask2cad_tf.data import record_files
from mask2cad_tf.data import schema


def shard_name(name: str, index: int, num_shards: int) -> str:
  """'images.tfrecord-00002-of-00008'."""
  return f'{name}.tfrecord-{index:05d}-of-{num_shards:05d}'


def verify(pattern: str) -> int:
  """Reads every shard to its end and compares it with its manifest.

  Args:
    pattern: glob of record files.

  Returns:
    The number of examples read.

  Raises:
    FileNotFoundError: if nothing matches.
    ValueError: if a shard is truncated or not the one that was written.
  """
  paths = record_files.match(pattern)
  record_files.check_sizes(paths)
  count = sum(1 for _ in record_files.read(paths))
  for path in paths:
    section = record_files.manifest_section(path) or {'shards': []}
    for shard in section['shards']:
      if shard['file'] == os.path.basename(path) and shard['sha256'] != sha256(
        path
      ):
        raise ValueError(
          f'{path!r} is not the file that its manifest describes (another '
          'sha256). Copy it again, or write the records anew.'
        )
  return count


class RecordWriter:
  """A context manager that writes one record set.

  Examples go to the shards in turn. Class counts are read off the examples.
  """

  def __init__(
    self,
    output_dir: str,
    name: str,
    num_shards: int = 1,
    settings: Optional[Dict[str, Any]] = None,
  ):
    """Opens nothing yet.

    Args:
      output_dir: folder, made when it is not there.
      name: of the record set: 'images' or 'views', or what the user likes.
      num_shards: number of files.
      settings: what the manifest should remember of the tool's flags.

    Raises:
      ValueError: if num_shards is not positive.
    """
    if num_shards < 1:
      raise ValueError(f'num_shards is {num_shards}; give 1 or more.')
    self._dir = output_dir
    self._name = name
    self._files = [shard_name(name, i, num_shards) for i in range(num_shards)]
    self._examples = [0] * num_shards
    self._settings = settings or {}
    self._classes: Dict[int, Dict[str, Any]] = {}
    self._skipped: List[str] = []
    self._notes: Dict[str, Any] = {}
    self._section: Dict[str, Any] = {}
    self._writers: List[tf.io.TFRecordWriter] = []

  def __enter__(self) -> 'RecordWriter':
    os.makedirs(self._dir, exist_ok=True)
    self._writers = [
      tf.io.TFRecordWriter(self._temporary(file)) for file in self._files
    ]
    return self

  def __exit__(self, error_type, error, traceback) -> None:
    for writer in self._writers:
      writer.close()
    try:
      if error_type is None:
        self._publish()
    finally:
      for file in self._files:
        if os.path.exists(self._temporary(file)):
          os.remove(self._temporary(file))

  def write(self, example: tf.train.Example) -> None:
    """Appends an example to the next shard."""
    self._append(example.SerializeToString(deterministic=True), example)

  def write_serialized(self, record: bytes) -> None:
    """Appends a serialized example to the next shard, byte for byte."""
    self._append(record, tf.train.Example.FromString(record))

  def skip(self, reason: str) -> None:
    """Notes an input that was left out, for the manifest."""
    self._skipped.append(reason)

  def annotate(self, **entries: Any) -> None:
    """Adds entries to the manifest's section: JSON, e.g. counts."""
    self._notes.update(entries)

  @property
  def section(self) -> Dict[str, Any]:
    """The manifest's section of this set, once it is published."""
    return self._section

  @property
  def num_examples(self) -> int:
    """Examples written so far."""
    return sum(self._examples)

  @property
  def skipped(self) -> List[str]:
    """Reasons given to `skip`, in order."""
    return list(self._skipped)

  def _temporary(self, file: str) -> str:
    return os.path.join(self._dir, f'.{file}.{os.getpid()}.tmp')

  def _append(self, record: bytes, example: tf.train.Example) -> None:
    index = sum(self._examples) % len(self._files)
    self._writers[index].write(record)
    self._examples[index] += 1
    self._count_classes(example)

  def _count_classes(self, example: tf.train.Example) -> None:
    feature = example.features.feature
    if schema.VIEW_CLASS_LABEL in feature:
      labels = feature[schema.VIEW_CLASS_LABEL].int64_list.value
      cad_id = feature[schema.VIEW_CAD_ID].bytes_list.value[0]
      names = [cad_id.split(b'/')[0]]
    else:
      labels = feature[schema.CLASS_LABEL].int64_list.value
      names = feature[schema.CLASS_TEXT].bytes_list.value
    seen = set()
    for label, name in zip(labels, names):
      entry = self._classes.setdefault(
        label,
        {'label': label, 'name': name.decode(), 'examples': 0, 'objects': 0},
      )
      entry['objects'] += 1
      entry['examples'] += label not in seen
      seen.add(label)

  def _publish(self) -> None:
    section = {
      'num_examples': self.num_examples,
      'classes': [self._classes[key] for key in sorted(self._classes)],
      'shards': [
        {
          'file': file,
          'bytes': os.path.getsize(self._temporary(file)),
          'sha256': sha256(self._temporary(file)),
          'examples': examples,
        }
        for file, examples in zip(self._files, self._examples)
      ],
      'settings': self._settings,
      'skipped': self._skipped,
      'package_version': mask2cad_tf.__version__,
      **self._notes,
    }
    for file in self._files:
      os.replace(self._temporary(file), os.path.join(self._dir, file))
    # An earlier set with another number of shards would be read along.
    for path in glob.glob(
      os.path.join(glob.escape(self._dir), f'{self._name}.tfrecord-*')
    ):
      if os.path.basename(path) not in self._files:
        os.remove(path)
    _merge_into_manifest(self._dir, self._name, section)
    self._section = section


def _merge_into_manifest(
  folder: str, name: str, section: Dict[str, Any]
) -> None:
  path = os.path.join(folder, schema.MANIFEST_FILE)
  manifest: Dict[str, Any] = {'records': {}}
  if os.path.exists(path):
    with open(path, encoding='utf-8') as file:
      manifest = json.load(file)
  manifest['format_version'] = schema.FORMAT_VERSION
  manifest['records'][name] = section
  temporary = f'{path}.{name}.{os.getpid()}.tmp'
  with open(temporary, 'w', encoding='utf-8') as file:
    json.dump(manifest, file, indent=1, sort_keys=True)
  os.replace(temporary, path)


def sha256(path: str) -> str:
  """Hash of a file's bytes, hexadecimal."""
  digest = hashlib.sha256()
  with open(path, 'rb') as file:
    for block in iter(lambda: file.read(1 << 20), b''):
      digest.update(block)
  return digest.hexdigest()
