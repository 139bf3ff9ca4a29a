"""Records -> batches, through Model Garden's input reader."""

import functools
from typing import Any
from typing import Callable
from typing import List
from typing import Optional
from typing import Sequence

import tensorflow as tf
from official.core import config_definitions as cfg
from official.vision.dataloaders import input_reader
from official.vision.dataloaders import input_reader_factory

from mask2cad_tf.configs import mask2cad as configs
from mask2cad_tf.data import cached_features
from mask2cad_tf.data import decoder
from mask2cad_tf.data import detection_parser
from mask2cad_tf.data import record_files
from mask2cad_tf.data import schema
from mask2cad_tf.data import view_store
from mask2cad_tf.ops import class_sampling


def build_dataset(
  data_config: configs.DataConfig,
  model_config: configs.Mask2CAD,
  input_context: Optional[tf.distribute.InputContext] = None,
  branches: Sequence[str] = ('detection', 'objects'),
) -> tf.data.Dataset:
  """Batches of (image, labels), see detection_parser.Parser.

  Args:
    data_config: records, batch size, augmentation; with `seed` and
      `deterministic` the batches are the same at every call.
    model_config: sizes, anchors, classes, rotation frame.
    input_context: of the distribution strategy.
    branches: which labels training needs, see task.train_branches.

  Returns:
    The dataset; endless for training.

  Raises:
    FileNotFoundError: if records or, for training, views are missing.
    ValueError: on truncated shards, or classes other than the model's.
  """
  files = _files(data_config.input_path)
  record_files.check_sizes(files)
  record_files.check_classes(files, model_config.class_names)
  store = None
  if data_config.is_training and data_config.views_path:
    record_files.check_classes(
      record_files.match(data_config.views_path), model_config.class_names
    )
    store = view_store.ViewStore.load(
      data_config.views_path, data_config.cached_features
    )
  shapes = None
  if data_config.cached_features:
    shapes = cached_features.shapes(
      next(iter(record_files.read(files))), files[0]
    )
  parser = detection_parser.Parser(model_config, data_config, store, branches)
  reader = input_reader_factory.input_reader_generator(
    data_config,
    dataset_fn=_dataset_fn(data_config, files, model_config.num_classes),
    decoder_fn=decoder.TfExampleDecoder(feature_shapes=shapes).decode,
    combine_fn=input_reader.create_combine_fn(data_config),
    sample_fn=functools.partial(attach_seeds, seed=data_config.seed),
    parser_fn=parser.parse_fn(data_config.is_training),
  )
  return reader.read(input_context)


def attach_seeds(
  dataset: tf.data.Dataset, seed: Optional[int]
) -> tf.data.Dataset:
  """Gives every decoded record the seed of its augmentation.

  Args:
    dataset: of dicts.
    seed: of the whole sequence; None draws anew.

  Returns:
    The dataset, each dict with 'seed', int64 [2].
  """
  seeds = tf.data.Dataset.random(seed).batch(2, drop_remainder=True)
  return tf.data.Dataset.zip((dataset, seeds)).map(
    lambda data, value: {**data, 'seed': value}
  )


def repeat_rare_classes(
  dataset: tf.data.Dataset, factors: tf.Tensor, seed: Optional[int]
) -> tf.data.Dataset:
  """Repeats records by the repeat factor of their rarest class (Sec. 3.2).

  Works on serialized records, before they are shuffled: so the copies do not
  end up in one batch, and only one of them is held decoded.

  Args:
    dataset: of serialized image records.
    factors: float [C], of `class_sampling.repeat_factors`.
    seed: of the stochastic rounding; None draws anew.

  Returns:
    The dataset of serialized records.
  """
  features = {schema.CLASS_LABEL: tf.io.RaggedFeature(tf.int64)}

  def copies(record, chance):
    labels = tf.io.parse_single_example(record, features)[schema.CLASS_LABEL]
    factor = class_sampling.image_repeat_factor(labels, factors)
    count = class_sampling.stochastic_count(factor, chance)
    return tf.data.Dataset.from_tensors(record).repeat(count)

  seeds = tf.data.Dataset.random(seed).batch(2, drop_remainder=True)
  return tf.data.Dataset.zip((dataset, seeds)).flat_map(copies)


def _dataset_fn(
  data_config: configs.DataConfig, files: List[str], num_classes: int
) -> Callable[[Any], tf.data.Dataset]:
  if not data_config.is_training or data_config.repeat_threshold <= 0:
    return tf.data.TFRecordDataset
  factors = class_sampling.repeat_factors(
    tf.constant(record_files.class_frequencies(files, num_classes)),
    data_config.repeat_threshold,
  )
  return lambda paths: repeat_rare_classes(
    tf.data.TFRecordDataset(paths), factors, data_config.seed
  )


def _files(input_path: Any) -> List[str]:
  """All shards of a pattern, a list of patterns, or a mixture's patterns."""
  if isinstance(input_path, cfg.base_config.Config):
    input_path = list(input_path.as_dict().values())
  if not input_path:
    raise FileNotFoundError(
      'No image records are given: set input_path of train_data and '
      'validation_data, for example to records/train/images*.'
    )
  return record_files.match(input_path)
