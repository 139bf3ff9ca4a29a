"""`mask2cad_tiny` with random weights that detect things, and its gallery."""

import dataclasses
import glob
import os
import re
import shutil
from typing import Tuple

import numpy as np
import tensorflow as tf
from official.core import config_definitions as cfg
from official.core import exp_factory
from official.modeling import hyperparams

from mask2cad_tf.configs import experiments  # noqa: F401
from mask2cad_tf.geometry import rotations
from mask2cad_tf.modeling import factory
from mask2cad_tf.modeling import mask2cad_model
from mask2cad_tf.modeling import model_folder
from mask2cad_tf.retrieval import gallery as gallery_lib
from mask2cad_tf.retrieval import gallery_builder
from mask2cad_tf.serving import mask2cad_module
from tests import toy

CLASS_NAMES = ('bed', 'chair', 'sofa', 'table')  # tests.toy's


@dataclasses.dataclass(frozen=True)
class TinyWorld:
  """Folders, and what is loaded from them.

  Attributes:
    model_dir: params.yaml and a checkpoint.
    library: ten CADs of four classes, as <class>/<shape>/.
    gallery_dir: of the library, by the model.
    model: the model.
    config: its experiment.
    gallery: as loaded.
    photos: the three real photos of beds, paths.
    module: the inference path around model and gallery.
  """

  model_dir: str
  library: str
  gallery_dir: str
  model: mask2cad_model.Mask2CADModel
  config: cfg.ExperimentConfig
  gallery: gallery_lib.Gallery
  photos: Tuple[str, ...]
  module: mask2cad_module.Mask2CADModule

  @property
  def retrieval(self):
    """How the model compares CADs with objects."""
    return self.config.task.model.retrieval

  def patch(self, monkeypatch) -> None:
    """Lets commands share model and module, which take seconds to build."""
    load, build = model_folder.load, mask2cad_module.Mask2CADModule

    def shared_load(model_dir):
      if model_dir != self.model_dir:
        return load(model_dir)
      return self.model, self.config

    def shared_build(
      model,
      config,
      gallery,
      top_k=5,
      pasted_masks=False,
      min_score=0.0,
      searcher=None,
    ):
      options = (gallery.content_hash, top_k, pasted_masks, searcher)
      if options == (self.gallery.content_hash, 5, False, None):
        return self.module  # what scores less is left out later
      return build(
        model, config, gallery, top_k, pasted_masks, min_score, searcher
      )

    monkeypatch.setattr(model_folder, 'load', shared_load)
    monkeypatch.setattr(mask2cad_module, 'Mask2CADModule', shared_build)


def make(root: str) -> TinyWorld:
  """Writes model, library and gallery below `root`."""
  model_dir = write(os.path.join(root, 'model'))
  library = os.path.join(root, 'library')
  shutil.copytree(os.path.join(toy.wheel_pix3d(), 'model'), library)
  for cad_id, mesh in toy.box_furniture().items():
    os.makedirs(os.path.join(library, cad_id))
    mesh.export(os.path.join(library, cad_id, 'model.ply'))
  model, config = model_folder.load(model_dir)
  gallery_dir = os.path.join(root, 'gallery')
  report = gallery_builder.build(model, config.task.model, library, gallery_dir)
  photos = sorted(
    glob.glob(os.path.join(toy.wheel_pix3d(), 'img', '*', '*.png'))
  )
  return TinyWorld(
    model_dir,
    library,
    gallery_dir,
    model,
    config,
    report.gallery,
    tuple(photos),
    mask2cad_module.Mask2CADModule(model, config.task, report.gallery),
  )


def write(
  folder: str,
  seed: int = 0,
  frame: str = 'allocentric',
  openimages_weight: float = 0.0,
) -> str:
  """Writes params.yaml and a checkpoint; returns the folder.

  A fresh network scores everything 0.01 and embeds everything alike: kernels
  are drawn wider.

  Args:
    folder: made where it is not there.
    seed: another seed is another encoder.
    frame: the rotation frame, 'camera' or 'allocentric'.
    openimages_weight: as model.openimages_weight.
  """
  config = exp_factory.get_exp_config('mask2cad_tiny')
  config.task.model.class_names = list(CLASS_NAMES)
  config.task.model.num_classes = 1 + len(CLASS_NAMES)
  config.task.model.pose.rotation_frame = frame
  config.task.model.openimages_weight = openimages_weight
  model = factory.build_mask2cad(
    tf.keras.layers.InputSpec(
      shape=[None] + list(config.task.model.input_size)
    ),
    config.task.model,
    load_assets=False,
  )
  rng = np.random.default_rng(seed)
  for variable in model.variables:
    if variable.dtype.is_floating and '_valid' not in variable.name:
      variable.assign(_random_value(variable, rng))
  model.pose_bins.assign(
    rotations.random_rotations(
      int(np.prod(model.pose_bins.shape[:2])), rng
    ).reshape(model.pose_bins.shape)
  )
  model.view_rotations.assign(model.pose_bins)
  os.makedirs(folder, exist_ok=True)
  hyperparams.save_params_dict_to_yaml(
    config, os.path.join(folder, 'params.yaml')
  )
  tf.train.Checkpoint(model=model).save(os.path.join(folder, 'ckpt'))
  return folder


def _random_value(variable: tf.Variable, rng: np.random.Generator):
  """Wide kernels; detections are anchors, scored from about 0.2 to 0.8."""
  shape = variable.shape.as_list()
  # Keras numbers the heads of one process: retina_net_head_2/scores/kernel.
  name = re.sub(r'head_\d+/', 'head/', variable.name)
  if 'head/scores/bias' in name:
    return np.zeros(shape)
  if len(shape) < 2:  # biases and batch-norm statistics: as they are
    return variable.numpy()
  gain = {'head/scores': 0.02, 'head/boxes': 0.001}
  scale = next((v for k, v in gain.items() if k in name), 1.0)
  return scale * rng.normal(size=shape) * np.sqrt(2.0 / np.prod(shape[:-1]))
