"""Image records or a Pix3D-like annotation JSON, as numbered samples."""

import dataclasses
import os
from typing import Optional
from typing import Tuple
from typing import Union

from mask2cad_tf import conventions
from mask2cad_tf.data import schema
from tfrecords_tools.diagnosis import annotation_samples
from tfrecords_tools.diagnosis import problem
from tfrecords_tools.diagnosis import record_samples
from tfrecords_tools.diagnosis import sample as sample_lib


@dataclasses.dataclass(frozen=True)
class Dataset:
  """A dataset that can be read at any place; picklable.

  Attributes:
    source: reads a sample by its number.
    class_names: of the ids 1, 2, ...
    library: folder of the CADs.
    problems: what was found when it was opened, e.g. truncated shards.
  """

  source: Union[
    record_samples.RecordSamples, annotation_samples.AnnotationSamples
  ]
  class_names: Tuple[str, ...]
  library: str
  problems: Tuple[problem.Problem, ...] = ()

  def __len__(self) -> int:
    return len(self.source)

  def read(self, index: int) -> sample_lib.Sample:
    """The sample of a number below len.

    Raises:
      ValueError: the record is none of ours; says which.
    """
    return self.source.read(index)


def open_dataset(
  path: str, library: str = '', class_names: Tuple[str, ...] = ()
) -> Dataset:
  """Opens a dataset of either kind.

  Args:
    path: glob of records, a folder of records, an annotation JSON, or a folder
      with one.
    library: folder of the CADs; '' for the one that the dataset names.
    class_names: of the ids 1, 2, ...; () for those that the dataset names.

  Returns:
    The dataset.

  Raises:
    FileNotFoundError: there is no such dataset, or no library.
    ValueError: it is neither records nor annotations.
  """
  found = _annotation_file(path)
  if found:
    source = annotation_samples.AnnotationSamples.open(found)
    problems = tuple(source.problems)
    beside = os.path.join(os.path.dirname(found), 'model')
    named: Tuple[str, ...] = ()
  else:
    source, problems = record_samples.open_records(_record_pattern(path))
    beside = source.settings.get('library', '')
    named = record_samples.class_names(source)
  names = class_names or named or conventions.PIX3D_CLASSES
  return Dataset(source, tuple(names), _library(library, beside), problems)


def _annotation_file(path: str) -> Optional[str]:
  """The JSON that a path names; None where it names records."""
  if path.lower().endswith('.json'):
    return path
  if not os.path.isdir(path) or _has_records(path):
    return None
  names = sorted(
    name
    for name in os.listdir(path)
    if name.endswith('.json') and name != schema.MANIFEST_FILE
  )
  if 'pix3d.json' in names:
    names = ['pix3d.json']
  if len(names) == 1:
    return os.path.join(path, names[0])
  raise ValueError(
    f'{path!r} holds no *.tfrecord* and {len(names)} JSON files. Give the '
    'annotation JSON or a glob of image records.'
  )


def _has_records(folder: str) -> bool:
  return any('.tfrecord' in name for name in os.listdir(folder))


def _record_pattern(path: str) -> str:
  return os.path.join(path, '*.tfrecord*') if os.path.isdir(path) else path


def _library(given: str, beside: str) -> str:
  library = given or beside
  if not library or not os.path.isdir(library):
    raise FileNotFoundError(
      f'There is no CAD library {library!r}. Give --library, the folder with '
      '<class>/<shape>/*.{obj,glb,ply,off} that the mesh paths start from.'
    )
  return library
