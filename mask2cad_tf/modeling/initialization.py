"""Weights of earlier models into the model, part by part."""

import dataclasses
import os
import tempfile
from typing import Dict
from typing import List
from typing import Mapping
from typing import Sequence
from typing import Tuple
from typing import Union

import tensorflow as tf
from absl import logging

from mask2cad_tf import close_names
from mask2cad_tf.modeling import model_folder
from mask2cad_tf.modeling import packed_weights


@dataclasses.dataclass(frozen=True)
class LoadReport:
  """What a checkpoint gave: per module, variables loaded and in all."""

  path: str
  counts: Dict[str, Tuple[int, int]]
  not_loaded: List[str]  # names of variables that kept their values

  @property
  def num_loaded(self) -> int:
    """Variables loaded, over all modules."""
    return sum(loaded for loaded, _ in self.counts.values())

  def __str__(self) -> str:
    parts = [
      f'{module} {loaded} of {total}'
      for module, (loaded, total) in self.counts.items()
    ]
    return f'{self.path}: variables loaded: {", ".join(parts)}'


def load_init_checkpoint(
  model: tf.keras.Model, path: str, modules: Union[str, Sequence[str]] = 'all'
) -> LoadReport:
  """Loads modules by name, and says how many of their variables came.

  Args:
    model: has `checkpoint_items`.
    path: checkpoint, or a folder whose latest one is taken; or a folder of
      mask2cad_tf.pack.
    modules: names out of `checkpoint_items`, a comma-separated string of them,
      or 'all': those that the checkpoint has.

  Returns:
    The report; it is logged too.

  Raises:
    FileNotFoundError: no checkpoint there.
    ValueError: an unknown module, a variable of another shape, or nothing in
      the checkpoint matched.
  """
  if not tf.train.latest_checkpoint(path) and packed_weights.is_packed(path):
    with tempfile.TemporaryDirectory() as place:
      return load_init_checkpoint(model, _unpacked(path, place), modules)
  path = _checkpoint_path(path)
  items = _select(model.checkpoint_items, modules)
  root = tf.train.Checkpoint(**items)
  matched = tf.train.CheckpointView(path).match(root)
  loaded = {
    id(value) for value in matched.values() if isinstance(value, tf.Variable)
  }
  counts, not_loaded = {}, []
  for name, module in items.items():
    left = [v.name for v in module.variables if id(v) not in loaded]
    counts[name] = len(module.variables) - len(left), len(module.variables)
    not_loaded.extend(left)
  report = LoadReport(path, counts, not_loaded)
  if not report.num_loaded:
    raise ValueError(
      f'The checkpoint {path!r} has none of the variables of '
      f"{', '.join(items)}. Expected a checkpoint of Model Garden's trainer "
      'for the same architecture.'
    )
  try:
    root.read(path).expect_partial()
  except ValueError as error:
    raise ValueError(
      f'The checkpoint {path!r} has a variable of another shape ({error}). '
      'Leave its module out of init_checkpoint_modules: "head" depends on the '
      'number of classes, "backbone" and "decoder" do not.'
    ) from error
  logging.info('%s', report)
  if not_loaded:
    logging.warning('Not in %s: %s', path, ', '.join(not_loaded))
  return report


def _unpacked(folder: str, place: str) -> str:
  """A checkpoint, in `place`, of a packed model."""
  packed, _ = model_folder.load(folder)
  checkpoint = tf.train.Checkpoint(**packed.checkpoint_items)
  return checkpoint.write(os.path.join(place, 'packed'))


def _checkpoint_path(path: str) -> str:
  found = tf.train.latest_checkpoint(path) if tf.io.gfile.isdir(path) else path
  if not found or not tf.io.gfile.exists(f'{found}.index'):
    raise FileNotFoundError(
      f'No checkpoint at {path!r}: expected a folder with one, or a path to '
      'which ".index" can be added.'
    )
  return found


def _select(
  items: Dict[str, tf.Module], modules: Union[str, Sequence[str]]
) -> Dict[str, tf.Module]:
  names = modules.split(',') if isinstance(modules, str) else list(modules)
  names = [name.strip() for name in names]
  if names == ['all']:
    return dict(items)
  return select(items, names, 'init_checkpoint_modules ("all" or names)')


def select(
  items: Mapping[str, tf.Module], names: Sequence[str], where: str
) -> Dict[str, tf.Module]:
  """The modules that a user named.

  Args:
    items: `checkpoint_items` of a model.
    names: out of them.
    where: what the user wrote them in.

  Raises:
    ValueError: the model has no such module.
  """
  unknown = [name for name in names if name not in items]
  if unknown:
    raise ValueError(
      f'{where}: no module {", ".join(unknown)}; the model has '
      f'{", ".join(items)}.{close_names.hint(unknown[0], items)}'
    )
  return {name: items[name] for name in names}
