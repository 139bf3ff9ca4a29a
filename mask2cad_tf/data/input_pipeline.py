"""Records -> batches, through Model Garden's input reader.

With `seed` and `deterministic` the batches are a function of the records and
the configuration: the same in every run, and a training that goes on from a
checkpoint goes on in the middle of them (`start_step`).
"""

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


# AutoGraph has nothing to convert here, and takes long to find it out.
@tf.autograph.experimental.do_not_convert
def build_dataset(
  data_config: configs.DataConfig,
  model_config: configs.Mask2CAD,
  input_context: Optional[tf.distribute.InputContext] = None,
  branches: Sequence[str] = ('detection', 'objects'),
  start_step: int = 0,
) -> tf.data.Dataset:
  """Batches of (image, labels), see detection_parser.Parser.

  Args:
    data_config: records, batch size, augmentation; with `seed` and
      `deterministic` the batches are the same at every call. `sharding` deals
      the records out to the workers, so that each reads its own; without it
      each worker reads all and takes its part of every global batch, so that
      the batches are the same for any number of workers.
    model_config: sizes, anchors, classes, rotation frame.
    input_context: of the distribution strategy.
    branches: which labels training needs, see task.train_branches.
    start_step: global batches that are passed over, unread but for their bytes;
      without a seed nothing would be gained, and none are.

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
    combine_fn=input_reader.create_combine_fn(data_config),
    sample_fn=_sample_fn(data_config, input_context, start_step),
    parser_fn=_parser_fn(
      decoder.TfExampleDecoder(feature_shapes=shapes).decode,
      parser.parse_fn(data_config.is_training),
    ),
  )
  return reader.read(input_context)


def _parser_fn(
  decode: Callable[..., Any], parse: Callable[..., Any]
) -> Callable[..., Any]:
  """(record, seed) -> example: decoded after it is known to be wanted."""
  return lambda record, seed: parse({**decode(record), 'seed': seed})


def _sample_fn(
  data_config: configs.DataConfig,
  input_context: Optional[tf.distribute.InputContext],
  start_step: int,
) -> Callable[[tf.data.Dataset], tf.data.Dataset]:
  """Serialized records -> those of this worker, with seeds, from the step on.

  Whatever is left out is left out here, before it costs a decoding.
  """
  workers, worker = 1, 0
  if input_context is not None:
    workers = input_context.num_input_pipelines
    worker = input_context.input_pipeline_id
  batch = data_config.global_batch_size
  passed = 0
  if data_config.is_training and data_config.seed is not None:
    passed = start_step * batch

  def sample(records: tf.data.Dataset) -> tf.data.Dataset:
    if data_config.sharding:
      dataset = attach_seeds(records, data_config.seed, workers, worker)
      return dataset.skip(passed // workers) if passed else dataset
    dataset = attach_seeds(records, data_config.seed)
    dataset = dataset.skip(passed) if passed else dataset
    if data_config.is_training and workers > 1:
      dataset = part_of_batches(dataset, batch, workers, worker)
    return dataset

  return sample


def attach_seeds(
  dataset: tf.data.Dataset,
  seed: Optional[int],
  workers: int = 1,
  worker: int = 0,
) -> tf.data.Dataset:
  """Gives every record the seed of its augmentation.

  Args:
    dataset: of serialized records.
    seed: of the whole sequence; None draws anew.
    workers: how many share the seeds out.
    worker: which of them this is.

  Returns:
    The dataset of pairs (record, seed int64 [2]).
  """
  seeds = tf.data.Dataset.random(seed).batch(2, drop_remainder=True)
  return tf.data.Dataset.zip((dataset, seeds.shard(workers, worker)))


def part_of_batches(
  dataset: tf.data.Dataset, batch_size: int, workers: int, worker: int
) -> tf.data.Dataset:
  """The elements that one worker has of every global batch.

  Args:
    dataset: endless.
    batch_size: of all workers, a multiple of their number.
    workers: how many there are.
    worker: which one this is.

  Returns:
    The dataset of its elements, `batch_size / workers` out of `batch_size`.
  """
  size = batch_size // workers
  batches = dataset.batch(batch_size, drop_remainder=True)
  return batches.map(
    lambda *values: tf.nest.map_structure(
      lambda x: x[worker * size : (worker + 1) * size], values
    )
  ).unbatch()


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
  read = _reader_fn(data_config)
  if not data_config.is_training or data_config.repeat_threshold <= 0:
    return read
  factors = class_sampling.repeat_factors(
    tf.constant(record_files.class_frequencies(files, num_classes)),
    data_config.repeat_threshold,
  )
  return lambda paths: repeat_rare_classes(
    read(paths), factors, data_config.seed
  )


def _reader_fn(
  data_config: configs.DataConfig,
) -> Callable[[Any], tf.data.Dataset]:
  """Files -> serialized records, but for those in quarantine."""
  if not data_config.quarantine:
    return record_files.dataset
  banned = tf.constant(record_files.read_quarantine(data_config.quarantine))
  features = {schema.IMAGE_SOURCE_ID: tf.io.FixedLenFeature([], tf.string)}

  def wanted(record):
    photo = tf.io.parse_single_example(record, features)
    return tf.reduce_all(photo[schema.IMAGE_SOURCE_ID] != banned)

  return lambda paths: record_files.dataset(paths).filter(wanted)


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
