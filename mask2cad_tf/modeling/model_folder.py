"""A training's folder as a model: params.yaml and a checkpoint."""

import hashlib
import os
from typing import Tuple

import tensorflow as tf
from official.core import config_definitions as cfg
from official.core import exp_factory
from official.modeling import hyperparams

# Imported for its registrations with Model Garden's experiment factory.
from mask2cad_tf.configs import experiments  # noqa: F401
from mask2cad_tf.modeling import factory
from mask2cad_tf.modeling import mask2cad_model

_PARAMS = 'params.yaml'


def load(
  model_dir: str,
) -> Tuple[mask2cad_model.Mask2CADModel, cfg.ExperimentConfig]:
  """Builds the folder's model and restores its latest checkpoint.

  Priors, medoids and backbone come from the checkpoint; no other file is read.

  Args:
    model_dir: `--model_dir` of mask2cad_tf.train, or a copy of its params.yaml
      and of its latest checkpoint.

  Returns:
    The model, and the experiment's configuration.

  Raises:
    FileNotFoundError: the folder, its params.yaml or a checkpoint is missing.
    ValueError: the checkpoint is not of this model.
  """
  config = _load_params(model_dir)
  checkpoint = tf.train.latest_checkpoint(model_dir)
  if not checkpoint:
    raise FileNotFoundError(
      f'No checkpoint in {model_dir!r}: expected the files `checkpoint`, '
      'ckpt-*.index and ckpt-*.data-*. Train a model there: '
      'python -m mask2cad_tf.train --help'
    )
  model_config = config.task.model
  model = factory.build_mask2cad(
    tf.keras.layers.InputSpec(shape=[None] + list(model_config.input_size)),
    model_config,
    load_assets=False,
  )
  try:
    status = tf.train.Checkpoint(model=model).restore(checkpoint)
    status.expect_partial().assert_existing_objects_matched()
  except (AssertionError, ValueError) as error:
    raise ValueError(
      f'The checkpoint {checkpoint!r} does not hold the model of '
      f'{os.path.join(model_dir, _PARAMS)!r}: {error}'
    ) from error
  return model, config


def _load_params(model_dir: str) -> cfg.ExperimentConfig:
  path = os.path.join(model_dir, _PARAMS)
  if not tf.io.gfile.exists(path):
    raise FileNotFoundError(
      f'No {_PARAMS} in {model_dir!r}: expected a folder that '
      'mask2cad_tf.train has written (--model_dir).'
    )
  config = exp_factory.get_exp_config('mask2cad')
  params = hyperparams.read_yaml_to_params_dict(path).as_dict()
  return hyperparams.override_params_dict(config, params, is_strict=True)


def fingerprint(model: mask2cad_model.Mask2CADModel) -> str:
  """SHA-256 of the view encoder's weights: which embeddings belong to it."""
  digest = hashlib.sha256()
  for array in model.view_encoder.get_weights():
    digest.update(f'{array.shape}{array.dtype}'.encode())
    digest.update(array.tobytes())
  return digest.hexdigest()
