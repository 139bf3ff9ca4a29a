r"""Records -> the same records with the frozen networks' features inside.

Example:
  python -m mask2cad_tf.cache_features --experiment=mask2cad_lite \
    --records='data/train/images*' --output_dir=data/train_cached

A frozen backbone sees each photo once instead of once an epoch: training the
heads becomes several times faster. Photos and views as training would see them
without augmentation, and photos in other looks as well (--looks).

Shards that are complete stay as they are: a run that was killed goes on.
"""

import json
import os
import pathlib
from typing import Any
from typing import Iterator
from typing import List
from typing import Sequence

import numpy as np
from absl import flags

from mask2cad_tf import command_line
from mask2cad_tf import progress

FLAGS = flags.FlagValues()  # apart from other commands' flags
_EXPERIMENT = flags.DEFINE_string(
  'experiment', 'mask2cad_lite', 'Registered experiment.', flag_values=FLAGS
)
_RECORDS = flags.DEFINE_string(
  'records',
  None,
  'Image records or view records, a glob in one folder.',
  flag_values=FLAGS,
)
_OUTPUT_DIR = flags.DEFINE_string(
  'output_dir', None, 'Folder for the shards, not the same.', flag_values=FLAGS
)
_LOOKS = flags.DEFINE_integer(
  'looks',
  1,
  'Times that a photo is written: as it is, then in other colours, contrasts, '
  'sharpness.',
  lower_bound=1,
  flag_values=FLAGS,
)
_BATCH = 16
_JPEG_QUALITY = 90  # of a photo in another look


class FrozenNetworks:
  """The experiment's backbone and view stem, with their packaged weights."""

  def __init__(self, experiment: str):
    """Builds both.

    Args:
      experiment: name of a registered experiment.

    Raises:
      ValueError: there is no such experiment, or its networks are not frozen.
    """
    import tensorflow as tf

    from mask2cad_tf.configs import experiments
    from mask2cad_tf.modeling import factory
    from mask2cad_tf.modeling import frozen_view_encoder

    task = experiments.get(experiment).task
    frozen_views = task.model.view_encoder.type == 'efficientnet_lite'
    if not (task.freeze_backbone and frozen_views):
      raise ValueError(
        f'--experiment={experiment}: only features of frozen networks can be '
        'cached (task.freeze_backbone, model.view_encoder.type='
        'efficientnet_lite).'
      )
    self.model_config = task.model
    self.input_size = list(task.model.input_size[:2])
    self.backbone = factory.build_backbone(
      tf.keras.layers.InputSpec(shape=[None, *task.model.input_size]),
      task.model,
    )
    encoder = frozen_view_encoder.FrozenViewEncoder()
    encoder.build(None)
    self._features = tf.function(
      lambda images: {
        level: tf.cast(value, tf.float16)
        for level, value in self.backbone(images, training=False).items()
        if level in '2345'
      },
      input_signature=[
        tf.TensorSpec([None, *task.model.input_size], tf.float32)
      ],
    )
    self._stem = tf.function(
      lambda views: tf.cast(encoder.stem(views), tf.float16),
      input_signature=[tf.TensorSpec([None, 128, 128, 1], tf.float32)],
    )

  def of_images(self, images: Any) -> Any:
    """Float [n, H, W, 3] -> level to float16 [n, H_l, W_l, C_l], NumPy."""
    return {key: value.numpy() for key, value in self._features(images).items()}

  def of_views(self, views: Any) -> Any:
    """Float [n, 128, 128, 1] -> float16 [n, 8, 8, c], NumPy."""
    return self._stem(views).numpy()


def cache(
  pattern: str, output_dir: str, experiment: str, looks: int = 1
) -> int:
  """Writes the records with features.

  Args:
    pattern: glob of image or view records.
    output_dir: another folder than theirs.
    experiment: whose frozen networks.
    looks: records of a photo.

  Returns:
    Number of records written in this run.

  Raises:
    FileNotFoundError, ValueError: bad input; complete shards stay.
  """
  from mask2cad_tf.data import record_files

  paths = record_files.match(pattern)
  record_files.check_sizes(paths)
  if os.path.realpath(os.path.dirname(paths[0]) or '.') == os.path.realpath(
    output_dir
  ):
    raise ValueError(
      f'--output_dir={output_dir!r} holds the records themselves. Give another.'
    )
  networks = FrozenNetworks(experiment)
  os.makedirs(output_dir, exist_ok=True)
  targets = {
    path: os.path.join(output_dir, os.path.basename(path)) for path in paths
  }
  missing = [path for path in paths if not os.path.exists(targets[path])]
  total, count = looks * record_files.count(paths), 0
  done = total - looks * record_files.count(missing)
  with progress.Line('cache_features', total, 'records', done) as line:
    for path in missing:
      made = _cache_shard(path, targets[path], networks, looks, line)
      line.say(f'{targets[path]}: {made}')
      count += made
  _write_manifest(paths, output_dir, looks)
  return count


def _cache_shard(
  path: str,
  target: str,
  networks: FrozenNetworks,
  looks: int,
  line: progress.Line,
) -> int:
  """One shard; it appears under its name when it is whole."""
  import tensorflow as tf

  folder, name = os.path.split(target)
  count, partial = 0, os.path.join(folder, f'.{name}.partial')
  with tf.io.TFRecordWriter(partial) as writer:
    for examples in _batches(path, looks):
      _add(examples, networks)
      for example in examples:
        writer.write(example.SerializeToString(deterministic=True))
      count += len(examples)
      line.add(len(examples))
  os.replace(partial, target)
  return count


def _batches(path: str, looks: int) -> Iterator[List[Any]]:
  import tensorflow as tf

  from mask2cad_tf.data import record_files

  examples = []
  for record in record_files.read([path]):
    for look in range(looks):
      examples.append(tf.train.Example.FromString(record))
      if look:
        _change_look(examples[-1], look)
      if len(examples) == _BATCH:
        yield examples
        examples = []
  if examples:
    yield examples


def _change_look(example: Any, look: int) -> None:
  """Gives a photo another look, always the same for its id and number."""
  import tensorflow as tf

  from mask2cad_tf.data import photo_looks
  from mask2cad_tf.data import schema

  fields = example.features.feature
  if schema.IMAGE_ENCODED not in fields:
    raise ValueError('--looks is for photos; these are view records.')
  source = fields[schema.IMAGE_SOURCE_ID].bytes_list.value[0]
  encoded = fields[schema.IMAGE_ENCODED].bytes_list.value
  image = tf.io.decode_image(encoded[0], channels=3, expand_animations=False)
  rng = np.random.default_rng([look, *source])
  encoded[0] = tf.io.encode_jpeg(
    photo_looks.change(image.numpy(), rng), quality=_JPEG_QUALITY
  ).numpy()


def _add(examples: List[Any], networks: FrozenNetworks) -> None:
  """Adds features to the records of a batch."""
  from mask2cad_tf.data import cached_features
  from mask2cad_tf.data import schema

  if schema.VIEW_ENCODED in examples[0].features.feature:
    for example in examples:
      pngs = example.features.feature[schema.VIEW_ENCODED].bytes_list.value
      cached_features.add_to_views(example, _view_features(pngs, networks))
    return
  features = networks.of_images(_images(examples, networks.input_size))
  pngs = [
    example.features.feature[schema.JITTERED_VIEW].bytes_list.value
    for example in examples
  ]
  views = iter(_view_features([png for part in pngs for png in part], networks))
  for index, example in enumerate(examples):
    cached_features.add_to_image(
      example,
      {level: value[index] for level, value in features.items()},
      [next(views) for _ in pngs[index]],
    )


def _images(examples: List[Any], input_size: List[int]) -> Any:
  """Network input [n, H, W, 3] of photos, as the parser makes it."""
  import tensorflow as tf

  from mask2cad_tf.data import image_scaling
  from mask2cad_tf.data import schema

  images = []
  for example in examples:
    encoded = example.features.feature[schema.IMAGE_ENCODED].bytes_list.value[0]
    image, _ = image_scaling.resize_and_crop(
      tf.io.decode_image(encoded, channels=3, expand_animations=False),
      input_size,
      1.0,
      tf.zeros(2),
    )
    images.append(image_scaling.network_input(image / 255.0, input_size))
  return tf.stack(images)


def _view_features(pngs: Sequence[bytes], networks: FrozenNetworks) -> Any:
  import tensorflow as tf

  from mask2cad_tf.data import view_pool

  if not pngs:
    return []
  return networks.of_views(view_pool.decode(tf.constant([list(pngs)]))[0])


def _write_manifest(paths: List[str], output_dir: str, looks: int) -> None:
  """The records' manifest with the shards that are here, and their sizes."""
  from mask2cad_tf.data import record_files
  from mask2cad_tf.data import schema

  folder = pathlib.Path(output_dir)
  target = folder / schema.MANIFEST_FILE
  manifest = {'format_version': schema.FORMAT_VERSION, 'records': {}}
  if target.exists():
    manifest = json.loads(target.read_text())
  sections = {
    os.path.basename(path).split('.tfrecord')[0]: path for path in paths
  }
  for name, path in sections.items():
    section = record_files.manifest_section(path)
    if section is None:
      continue
    section['shards'] = [
      {'file': shard['file'], 'bytes': (folder / shard['file']).stat().st_size}
      for shard in section['shards']
      if (folder / shard['file']).exists()
    ]
    section['num_examples'] *= looks
    for entry in section.get('classes', ()):
      entry['examples'] *= looks
      entry['objects'] *= looks
    manifest['records'][name] = section
  if not manifest['records']:
    return
  partial = target.with_suffix('.partial')
  partial.write_text(json.dumps(manifest, indent=1, sort_keys=True) + '\n')
  os.replace(partial, target)


def main(argv: Sequence[str]) -> None:
  """Runs the command with its flags."""
  command_line.require(records=_RECORDS.value, output_dir=_OUTPUT_DIR.value)
  command_line.reject(argv[1:])
  count = cache(
    _RECORDS.value, _OUTPUT_DIR.value, _EXPERIMENT.value, _LOOKS.value
  )
  print(f'{_OUTPUT_DIR.value}: {count} records with features')


if __name__ == '__main__':
  command_line.run('mask2cad_tf.cache_features', main, FLAGS)
