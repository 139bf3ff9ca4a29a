"""A folder as a model: params.yaml and a checkpoint, or packed weights."""

import copy
import hashlib
import os
from typing import Any
from typing import Callable
from typing import Dict
from typing import Optional
from typing import Sequence
from typing import Tuple

import tensorflow as tf
from official.core import config_definitions as cfg
from official.core import exp_factory
from official.modeling import hyperparams

# Imported for its registrations with Model Garden's experiment factory.
from mask2cad_tf.configs import experiments  # noqa: F401
from mask2cad_tf.configs import mask2cad as mask2cad_cfg
from mask2cad_tf.configs import yaml_files
from mask2cad_tf.data import atomic_folder
from mask2cad_tf.modeling import factory
from mask2cad_tf.modeling import mask2cad_model
from mask2cad_tf.modeling import packed_weights

_PARAMS = 'params.yaml'


def load(
  model_dir: str,
) -> Tuple[mask2cad_model.Mask2CADModel, cfg.ExperimentConfig]:
  """Builds the folder's model and gives it its weights.

  Priors, medoids and backbone come with the weights; no other file is read.
  Where a folder has both, its latest checkpoint goes before packed weights: a
  packed model was trained further there.

  Args:
    model_dir: `--model_dir` of mask2cad_tf.train, or a copy of its params.yaml
      and of its latest checkpoint; or `--output_dir` of mask2cad_tf.pack.

  Returns:
    The model, and the experiment's configuration.

  Raises:
    FileNotFoundError: the folder, its params.yaml or the weights are missing.
    ValueError: the weights are damaged or not of this model.
  """
  config = load_params(model_dir)
  checkpoint = _checkpoint(model_dir)
  model_config = _with_fused_norms(config.task.model)
  model = factory.build_mask2cad(
    tf.keras.layers.InputSpec(shape=[None] + list(model_config.input_size)),
    model_config,
    load_assets=False,
  )
  if checkpoint:
    _restore(tf.train.Checkpoint(model=model), checkpoint, model_dir)
  else:
    packed_weights.read(model, model_dir)
  return model, config


def _with_fused_norms(config: mask2cad_cfg.Mask2CAD) -> mask2cad_cfg.Mask2CAD:
  """Batch norms of one replica: TensorFlow has a fused kernel for these alone.

  With the same weights they say the same, but for statistics of a training.
  """
  config = copy.deepcopy(config)
  config.norm_activation.use_sync_bn = False
  if config.cad_head.norm == 'sync_batch_norm':
    config.cad_head.norm = 'batch_norm'
  return config


def load_view_encoder(
  model_dir: str,
) -> Tuple[tf.keras.layers.Layer, cfg.ExperimentConfig]:
  """As `load`, of the view encoder alone: what renderings are compared by."""
  config = load_params(model_dir)
  checkpoint = _checkpoint(model_dir)
  encoder = factory.build_view_encoder(config.task.model)
  if checkpoint:
    part = tf.train.Checkpoint(view_encoder=encoder)
    _restore(tf.train.Checkpoint(model=part), checkpoint, model_dir)
  else:
    packed_weights.read_part('view_encoder', encoder, model_dir)
  return encoder, config


def _checkpoint(model_dir: str) -> Optional[str]:
  """Path of the folder's latest checkpoint; None where it is packed."""
  checkpoint = tf.train.latest_checkpoint(model_dir)
  if not checkpoint and not packed_weights.is_packed(model_dir):
    raise FileNotFoundError(
      f'No checkpoint in {model_dir!r}: expected the files `checkpoint`, '
      'ckpt-*.index and ckpt-*.data-*, or the packed weights.npz and '
      'weights.json. Train a model there: python -m mask2cad_tf.train --help'
    )
  return checkpoint


def write_packed(
  model: mask2cad_model.Mask2CADModel,
  config: cfg.ExperimentConfig,
  folder: str,
  companions: Sequence[Callable[[str], None]] = (),
) -> Dict[str, Any]:
  """Writes a folder that `load` takes: params.yaml and packed weights.

  Priors and rotations are among the weights; data paths are left out.

  Args:
    model: of `config`.
    config: the experiment.
    folder: appears whole, in place of an earlier packed model.
    companions: each is called with the new folder, which `load` takes by then
      and nobody else sees yet, and writes what belongs to the model there.

  Returns:
    The manifest of `packed_weights`.

  Raises:
    ValueError: the folder holds something else, or the weights cannot be
      packed; nothing is written, nor is it where a companion raises.
  """
  with atomic_folder.replacing(folder, packed_weights.MANIFEST) as new:
    hyperparams.save_params_dict_to_yaml(
      _without_paths(config), os.path.join(new, _PARAMS)
    )
    manifest = packed_weights.write(model, new)
    for write in companions:
      write(new)
    return manifest


def _without_paths(config: cfg.ExperimentConfig) -> cfg.ExperimentConfig:
  """The configuration without the files of the machine that trained it."""
  config = copy.deepcopy(config)
  task = config.task
  task.model.pose.medoids_path = task.model.pose.view_rotations_path = ''
  task.model.shapemask.priors_path = task.library_path = ''
  task.init_checkpoint = None
  for data in (task.train_data, task.validation_data):
    data.input_path = data.views_path = ''
  return config


def load_params(model_dir: str) -> cfg.ExperimentConfig:
  """The experiment of a folder's params.yaml.

  Raises:
    FileNotFoundError: there is none.
    ValueError: it is damaged, or not of this package.
  """
  path = os.path.join(model_dir, _PARAMS)
  if not tf.io.gfile.exists(path):
    raise FileNotFoundError(
      f'No {_PARAMS} in {model_dir!r}: expected a folder that '
      'mask2cad_tf.train has written (--model_dir) or mask2cad_tf.pack.'
    )
  yaml_files.check(path)
  config = exp_factory.get_exp_config('mask2cad')
  try:
    params = hyperparams.read_yaml_to_params_dict(path).as_dict()
    return hyperparams.override_params_dict(config, params, is_strict=True)
  except (AttributeError, KeyError, TypeError, ValueError) as error:
    raise ValueError(
      f'{path!r} is no configuration of this package ({error}). Train or pack '
      'the model again.'
    ) from error


def _restore(
  objects: tf.train.Checkpoint, checkpoint: str, model_dir: str
) -> None:
  try:
    status = objects.restore(checkpoint)
    status.expect_partial().assert_existing_objects_matched()
  except (AssertionError, ValueError) as error:
    raise ValueError(
      f'The checkpoint {checkpoint!r} does not hold the model of '
      f'{os.path.join(model_dir, _PARAMS)!r}: {error}'
    ) from error


def fingerprint(model: mask2cad_model.Mask2CADModel) -> str:
  """SHA-256 of the view encoder's weights: which embeddings belong to it."""
  return encoder_fingerprint(model.view_encoder)


def encoder_fingerprint(encoder: tf.keras.layers.Layer) -> str:
  """`fingerprint` of the model that has this view encoder."""
  digest = hashlib.sha256()
  for array in encoder.get_weights():
    digest.update(f'{array.shape}{array.dtype}'.encode())
    digest.update(array.tobytes())
  return digest.hexdigest()
