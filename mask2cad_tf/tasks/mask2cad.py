"""The Mask2CAD task: detection, masks, retrieval and pose trained together."""

from typing import Any
from typing import Dict
from typing import List
from typing import Mapping
from typing import Optional
from typing import Tuple

import tensorflow as tf
from official.core import task_factory
from official.vision.evaluation import coco_evaluator
from official.vision.tasks import retinanet

from mask2cad_tf.configs import mask2cad as config_lib
from mask2cad_tf.data import image_scaling
from mask2cad_tf.data import input_pipeline
from mask2cad_tf.losses import cad_losses
from mask2cad_tf.losses import detection_losses
from mask2cad_tf.losses import shapemask_losses
from mask2cad_tf.modeling import factory
from mask2cad_tf.modeling import initialization
from mask2cad_tf.modeling import mask2cad_model
from mask2cad_tf.tasks import gradient_step
from mask2cad_tf.tasks import loss_guard as loss_guard_lib
from mask2cad_tf.tasks import validation_scenes

# By branch.
_LOSS_NAMES = {
  'detection': ('cls', 'box'),
  'objects': (
    'prior_mask',
    'coarse_mask',
    'fine_mask',
    'embedding',
    'pose_bin',
    'pose_delta',
    'center',
  ),
}


# AutoGraph has nothing to convert here, and takes long to find it out.
_as_it_is = tf.autograph.experimental.do_not_convert


@task_factory.register_task_cls(config_lib.Mask2CADTask)
class Mask2CADTask(retinanet.RetinaNetTask):
  """One replica's view of Mask2CAD training and validation (Sec. 3).

  Attributes:
    start_step: steps that earlier runs have done; training data starts there.
    loss_guard: what the trainer's action asks, see tasks/loss_guard.py.
  """

  start_step = 0
  loss_guard: Optional[loss_guard_lib.LossGuard] = None

  def build_model(self) -> mask2cad_model.Mask2CADModel:
    """Builds the model; freezes what the config says.

    Raises:
      ValueError: the backbone is trained, and asked what ImageNet taught it; or
        an unknown frozen module.
    """
    params = self.task_config
    if params.model.imagenet_exponent and not params.freeze_backbone:
      raise ValueError(
        f'task.model.imagenet_exponent is {params.model.imagenet_exponent}, '
        "but task.freeze_backbone is false: ImageNet's classifier does not fit "
        'a backbone that is trained. Set task.model.imagenet_exponent to 0.'
      )
    # tf.nn.l2_loss carries a factor 1/2 that the Keras regularizer lacks.
    decay = params.losses.l2_weight_decay / 2.0
    model = factory.build_mask2cad(
      input_specs=tf.keras.layers.InputSpec(
        shape=[None] + params.model.input_size
      ),
      model_config=params.model,
      l2_regularizer=tf.keras.regularizers.l2(decay) if decay else None,
    )
    if params.freeze_backbone:
      model.backbone.trainable = False
    for branch in set(mask2cad_model.BRANCHES) - set(params.train_branches):
      for part in model.branch_parts(branch):
        part.trainable = False
    frozen = initialization.select(
      model.checkpoint_items, params.frozen_modules, 'task.frozen_modules'
    )
    for part in frozen.values():
      part.trainable = False
    self._model = model  # validation embeds the CADs' views with it
    return model

  def initialize(self, model: tf.keras.Model) -> None:
    """Loads `init_checkpoint`, if any, and reports what was loaded."""
    if self.task_config.init_checkpoint:
      initialization.load_init_checkpoint(
        model,
        self.task_config.init_checkpoint,
        self.task_config.init_checkpoint_modules,
      )

  def build_inputs(
    self,
    params: config_lib.DataConfig,
    input_context: Optional[tf.distribute.InputContext] = None,
  ) -> tf.data.Dataset:
    """Image and view records -> batches of (images, labels).

    Each worker process of a multi-worker strategy sees but its own outputs, so
    that each validates on all photos: the same result everywhere.
    """
    branches = mask2cad_model.BRANCHES
    if params.is_training:
      branches = self.task_config.train_branches
    elif isinstance(
      tf.distribute.get_strategy(), tf.distribute.MultiWorkerMirroredStrategy
    ):
      params = params.replace(sharding=False)
    return input_pipeline.build_dataset(
      params, self.task_config.model, input_context, branches, self.start_step
    )

  def build_losses(
    self,
    outputs: Mapping[str, Any],
    labels: Mapping[str, Any],
    aux_losses: Optional[Any] = None,
    model: Optional[mask2cad_model.Mask2CADModel] = None,
  ) -> Dict[str, tf.Tensor]:
    """All losses of a training batch by name, 'total_loss' their weighted sum.

    Args:
      outputs: training outputs of the model.
      labels: training labels of the parser.
      aux_losses: regularization losses.
      model: gives the rotation bins.

    Returns:
      Dict of scalars.
    """
    config = self.task_config.losses
    losses = {}
    if 'detection' in self.task_config.train_branches:
      losses.update(self._detection_losses(outputs, labels))
    if 'objects' in self.task_config.train_branches:
      losses.update(self._object_losses(outputs, labels, model))
    total = tf.add_n(
      [self._weight(name) * losses[name] for name in self._loss_names()]
    )
    if aux_losses:
      total += tf.add_n(aux_losses)
    losses['total_loss'] = config.loss_weight * total
    return losses

  def _detection_losses(
    self, outputs: Mapping[str, Any], labels: Mapping[str, Any]
  ) -> Dict[str, tf.Tensor]:
    """Losses of classes and boxes, of two detectors the sums.

    These share no weights: each learns as it would alone.
    """
    found = [
      detection_losses.detection_losses(
        {key: outputs[prefix + key] for key in ('cls_outputs', 'box_outputs')},
        labels,
        self.task_config.model.num_classes,
        self.task_config.losses,
      )
      for prefix in ('', 'second_')
      if f'{prefix}cls_outputs' in outputs
    ]
    return {name: tf.add_n([x[name] for x in found]) for name in found[0]}

  def _object_losses(
    self,
    outputs: Mapping[str, Any],
    labels: Mapping[str, Any],
    model: mask2cad_model.Mask2CADModel,
  ) -> Dict[str, tf.Tensor]:
    """Losses of masks, embedding, pose."""
    config, valid = self.task_config.losses, labels['roi_valid']
    return dict(
      prior_mask=shapemask_losses.prior_mask_loss(
        outputs['prior_masks'], labels['roi_coarse_masks'], valid
      ),
      coarse_mask=shapemask_losses.coarse_mask_loss(
        outputs['coarse_mask_logits'], labels['roi_coarse_masks'], valid
      ),
      fine_mask=shapemask_losses.fine_mask_loss(
        outputs['fine_mask_logits'], labels['roi_fine_masks'], valid
      ),
      embedding=cad_losses.embedding_loss(outputs, labels, config),
      center=cad_losses.center_loss(outputs, labels, config),
      **cad_losses.pose_losses(
        outputs, labels, model.pose_bins, model.pose_bins_valid, config
      ),
    )

  def _loss_names(self) -> Tuple[str, ...]:
    return sum(
      (_LOSS_NAMES[name] for name in self.task_config.train_branches), ()
    )

  def _weight(self, name: str) -> float:
    config = self.task_config.losses
    if name == 'cls':
      return 1.0
    if name == 'box':
      return float(config.box_loss_weight)
    return getattr(config, f'{name}_weight')

  def build_metrics(self, training: bool = True) -> List[tf.keras.metrics.Mean]:
    """A mean per loss in training; COCO's metrics and scenes in validation."""
    if training:
      names = self._loss_names() + ('total_loss',)
      replicas = tf.distribute.get_strategy().num_replicas_in_sync
      self.loss_guard = loss_guard_lib.LossGuard(
        names, self.task_config.train_data.global_batch_size // replicas
      )
      if 'objects' in self.task_config.train_branches:
        names += ('refined_share',)
      return [tf.keras.metrics.Mean(name, dtype=tf.float32) for name in names]
    self.coco_metric = coco_evaluator.COCOEvaluator(
      annotation_file=None,
      include_mask=True,
      per_category_metrics=self.task_config.per_category_metrics,
      max_num_eval_detections=self.task_config.max_num_eval_detections,
    )
    self.scenes = validation_scenes.ValidationScenes(
      self.task_config, self._model
    )
    return []

  @_as_it_is
  def train_step(
    self,
    inputs: Tuple[Any, Any],
    model: mask2cad_model.Mask2CADModel,
    optimizer: tf.keras.optimizers.Optimizer,
    metrics: Optional[List[Any]] = None,
  ) -> Dict[str, Any]:
    """One forward and backward pass; returns the losses by name."""
    images, labels = inputs
    num_replicas = tf.distribute.get_strategy().num_replicas_in_sync
    scales_loss = isinstance(
      optimizer, tf.keras.mixed_precision.LossScaleOptimizer
    )
    with tf.GradientTape() as tape:
      outputs = model(
        images,
        roi_boxes=labels.get('roi_boxes'),
        roi_classes=labels.get('roi_classes'),
        views=labels.get('pool_views'),
        training=True,
        branches=self.task_config.train_branches,
        style_seed=_first(labels.get('style_seed')),
      )
      outputs = tf.nest.map_structure(lambda x: tf.cast(x, tf.float32), outputs)
      losses = self.build_losses(outputs, labels, model.losses, model)
      loss = losses['total_loss'] / num_replicas
      if scales_loss:
        loss = optimizer.get_scaled_loss(loss)
    variables = model.trainable_variables
    gradients = tape.gradient(loss, variables)
    if scales_loss:
      gradients = optimizer.get_unscaled_gradients(gradients)
    if self.loss_guard:
      self.loss_guard.record(losses, labels['source_id'], optimizer.iterations)
    gradient_step.apply(optimizer, gradients, variables)
    for metric in metrics or ():
      metric.update_state(losses[metric.name])
    return {self.loss: losses['total_loss'], **losses}

  @_as_it_is
  def validation_step(
    self,
    inputs: Tuple[Any, Any],
    model: mask2cad_model.Mask2CADModel,
    metrics: Optional[List[Any]] = None,
  ) -> Dict[str, Any]:
    """Detects, and hands the detections to the evaluators.

    Where detection is not trained, the true boxes take its place: masks and
    CADs are what is measured. A replica's share of the last batch may be empty.
    """
    images, labels = inputs
    given = {}
    if 'detection' not in self.task_config.train_branches:
      given = _true_boxes(labels)
    arguments = {
      'images': images,
      'anchor_boxes': labels['anchor_boxes'],
      'image_shape': labels['image_info'][:, 1, :],
      **given,
    }
    outputs = model(
      **tf.nest.map_structure(_one_at_least, arguments), training=False
    )
    count = tf.shape(labels['image_info'])[0]
    detections = {
      key: value[:count]
      for key, value in outputs.items()
      if key.startswith('detection_') or key == 'num_detections'
    }
    detections['source_id'] = labels['groundtruths']['source_id']
    detections['image_info'] = labels['image_info']
    return {
      self.coco_metric.name: (labels['groundtruths'], detections),
      self.scenes.name: self.scenes.step_outputs(images, labels, detections),
    }

  def aggregate_logs(self, state=None, step_outputs=None) -> bool:
    """Feeds one validation step to the evaluators."""
    if state is None:
      self.coco_metric.reset_states()
      self.scenes.reset_states()
    self.coco_metric.update_state(*step_outputs[self.coco_metric.name])
    self.scenes.update_state(step_outputs[self.scenes.name])
    return True

  def reduce_aggregated_logs(
    self, aggregated_logs, global_step=None
  ) -> Dict[str, Any]:
    """COCO metrics, retrieval accuracy and pictures of the validation set."""
    return {**self.coco_metric.result(), **self.scenes.result()}


def _first(seeds: Optional[tf.Tensor]) -> Optional[tf.Tensor]:
  """The first photo's seed speaks for the batch."""
  return None if seeds is None else seeds[0]


def _one_at_least(batch: tf.Tensor) -> tf.Tensor:
  """A batch [B, ...]; one blank entry [1, ...] where it is empty.

  TensorFlow's convolutions lose their channels where there is no image.
  """
  missing = tf.maximum(1 - tf.shape(batch)[0], 0)
  rest = [[0, 0]] * (batch.shape.rank - 1)
  return tf.pad(batch, [[0, missing], *rest])


def _true_boxes(labels: Mapping[str, Any]) -> Dict[str, tf.Tensor]:
  """The model's `roi_boxes` [B, N, 4], input pixels, and `roi_classes`."""
  truths = labels['groundtruths']
  classes = tf.maximum(tf.cast(truths['classes'], tf.int32), 0)
  boxes = image_scaling.boxes_in_input(
    tf.cast(truths['boxes'], tf.float32), labels['image_info']
  )
  return {
    'roi_boxes': tf.where(classes[..., tf.newaxis] > 0, boxes, 0.0),
    'roi_classes': classes,
  }
