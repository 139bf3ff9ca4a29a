"""The models that benchmarks measure, each with gallery and inference path."""

import dataclasses
from typing import Optional

import numpy as np
import tensorflow as tf
from official.core import config_definitions as cfg
from official.core import exp_factory

from mask2cad_tf.configs import experiments  # noqa: F401
from mask2cad_tf.modeling import factory
from mask2cad_tf.modeling import mask2cad_model
from mask2cad_tf.modeling import model_folder
from mask2cad_tf.retrieval import default_gallery
from mask2cad_tf.retrieval import gallery as gallery_lib
from mask2cad_tf.serving import mask2cad_module

R50_DETECTIONS = 8
_CANDIDATES = 500  # of R50, above the detector's threshold


@dataclasses.dataclass(frozen=True, eq=False)
class BenchmarkModel:
  """Everything that inference needs.

  Attributes:
    model: with weights.
    config: its experiment.
    gallery: what is searched.
    module: the inference path.
    min_score: of the module.
  """

  model: mask2cad_model.Mask2CADModel
  config: cfg.ExperimentConfig
  gallery: gallery_lib.Gallery
  module: mask2cad_module.Mask2CADModule
  min_score: float


def trained(
  model_dir: Optional[str], gallery_dir: Optional[str], min_score: float
) -> BenchmarkModel:
  """A model folder and a gallery; None: those of the package."""
  model_dir, gallery_dir = default_gallery.choose(model_dir, gallery_dir)
  model, config = model_folder.load(model_dir)
  gallery = gallery_lib.load(
    gallery_dir, model_folder.fingerprint(model), config.task.model.class_names
  )
  module = mask2cad_module.Mask2CADModule(
    model, config.task, gallery, min_score=min_score
  )
  return BenchmarkModel(model, config, gallery, module, min_score)


def paper(photo: bytes) -> BenchmarkModel:
  """R50-FPN, 640 x 640, weights drawn, 8 detections; the default CADs.

  Norms are built as `model_folder.load` builds them.

  Args:
    photo: JPEG; as many anchors pass in it as with a trained detector.
  """
  config = exp_factory.get_exp_config('mask2cad_pix3d')
  model_config = config.task.model
  model_config.norm_activation.use_sync_bn = False
  model_config.detection_generator.max_num_detections = R50_DETECTIONS
  tf.keras.utils.set_random_seed(0)
  model = factory.build_mask2cad(
    tf.keras.layers.InputSpec(shape=[None, *model_config.input_size]),
    model_config,
    load_assets=False,
  )
  _, gallery_dir = default_gallery.choose(None, None)
  gallery = gallery_lib.load(gallery_dir)
  rng = np.random.default_rng(0)
  views = model_config.pose.num_bins
  count = len(gallery.cads), views
  gallery = dataclasses.replace(
    gallery,
    embeddings=rng.normal(
      size=[*count, model_config.cad_head.embedding_size]
    ).astype(np.float32),
    valid=np.ones(count, bool),
    rotations=gallery.rotations[:, :views],
    silhouettes=gallery.silhouettes[:, :views],
  )
  module = mask2cad_module.Mask2CADModule(model, config.task, gallery)
  images, _ = module.preprocess(tf.io.decode_jpeg(photo)[tf.newaxis])
  _let_some_pass(model, model_config, images)
  return BenchmarkModel(model, config, gallery, module, 0.0)


def _let_some_pass(model, config, images) -> None:
  """Scores as a trained detector's: few of the anchors above the threshold.

  Logits of unit deviation, moved down.
  """
  pyramid = model.decoder(model.backbone(images, training=False))

  def logits() -> np.ndarray:
    levels = model.head(pyramid)[0]
    return np.concatenate(
      [np.ravel(tf.cast(x, tf.float32)) for x in levels.values()]
    )

  (kernel,) = (v for v in model.head.variables if 'scores/kernel' in v.name)
  (bias,) = (v for v in model.head.variables if 'scores/bias' in v.name)
  bias.assign(tf.zeros_like(bias))
  kernel.assign(kernel / max(float(logits().std()), 1e-12))
  threshold = config.detection_generator.pre_nms_score_threshold
  least = np.sort(logits())[-_CANDIDATES]
  bias.assign(
    tf.fill(bias.shape, float(np.log(threshold / (1.0 - threshold)) - least))
  )
