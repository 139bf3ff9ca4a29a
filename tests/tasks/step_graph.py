"""The graph of a training step: built without running it, and inspected.

A TPU runs programs whose every shape is known beforehand. XLA on a CPU is no
proof of that: it also compiles boolean masks and `tf.unique`.
"""

from typing import Any
from typing import Dict
from typing import Iterator
from typing import List
from typing import Tuple

import tensorflow as tf
from official.core import exp_factory
from tensorflow.python.framework import kernels

from mask2cad_tf import registry_imports  # noqa: F401
from mask2cad_tf.tasks import mask2cad
from tests import toy

# The number of results depends on the values, or the host must take part.
_DENIED = (
  *('Where', 'Unique', 'UniqueV2', 'UniqueWithCounts', 'ListDiff'),
  *('DynamicPartition', 'SetSize', 'DenseToDenseSetOperation'),
  *('NonMaxSuppression', 'NonMaxSuppressionV2', 'NonMaxSuppressionV3'),
  *('CombinedNonMaxSuppression', 'GenerateBoundingBoxProposals'),
  *('PyFunc', 'PyFuncStateless', 'EagerPyFunc', 'NumpyFunction'),
  *('Print', 'PrintV2', 'LookupTableFindV2', 'SparseToDense'),
  *('RaggedRange', 'RaggedGather', 'RaggedTensorToTensor'),
)
# What the graph begins with; XLA has no kernel for them.
_ARGUMENTS = ('Placeholder',)
# Handles; they have no shape of their own.
_NO_ARRAYS = (tf.resource, tf.variant)


def trace(
  name: str, data: toy.ToyData, batch_size: int = 2, small: bool = True
) -> Tuple[Any, Any, Dict[str, Any]]:
  """A replica's training step of a registered experiment.

  Blocks, heads, losses, labels and optimizer are the experiment's; sizes and
  depths are if it is not small; classes and priors are the toy data's.
  `mask2cad_lite` takes cached features, as it is trained.

  Args:
    name: 'mask2cad_lite' or 'mask2cad_pix3d'.
    data: the toy data; its records are read for their structure alone.
    batch_size: photos.
    small: 128 x 128 pixels, and ResNet-10 for the paper's encoders.

  Returns:
    The step, a tf.function of (images, labels); what it takes, TensorSpecs;
    and 'task', 'model', 'optimizer', 'metrics'.
  """
  config = exp_factory.get_exp_config(name)
  lite = name == 'mask2cad_lite'
  medoids = data.medoids if lite else data.medoids_camera
  config.task.override(
    {
      'init_checkpoint': '',
      'model': {
        'class_names': list(data.class_names),
        'num_classes': 1 + len(data.class_names),
        'pose': {'medoids_path': medoids, 'num_view_rotations': 0},
        'shapemask': {'priors_path': data.priors, 'num_priors': 4},
        'backbone': {'imagenet_and_openimages': {'pretrained': False}},
      },
      'train_data': {
        'input_path': data.image_records,
        'views_path': data.view_records if lite else data.view_records_camera,
        'global_batch_size': batch_size,
        'repeat_threshold': 0.0,
        'cached_features': False,
        'shuffle_buffer_size': 4,
      },
    }
  )
  if small:
    config.task.model.override({'input_size': [128, 128, 3]})
  if small and not lite:
    config.task.model.override(
      {
        'backbone': {'resnet': {'model_id': 10}},
        'view_encoder': {'model_id': 10, 'depth_multiplier': 0.25},
      }
    )
  task = mask2cad.Mask2CADTask(config.task)
  model = task.build_model()
  metrics = task.build_metrics(training=True)
  optimizer = task.create_optimizer(config.trainer.optimizer_config)
  images, labels = task.build_inputs(config.task.train_data).element_spec
  if lite:
    images, labels = _with_cached_features(model, labels, batch_size)

  @tf.function
  def step(images, labels):
    return task.train_step((images, labels), model, optimizer, metrics)

  parts = {
    'task': task,
    'model': model,
    'optimizer': optimizer,
    'metrics': metrics,
  }
  return step, (images, labels), parts


def _with_cached_features(model, labels, batch_size):
  images = {
    level: tf.TensorSpec([batch_size, *shape[1:]], tf.float32)
    for level, shape in model.backbone.output_specs.items()
  }
  views = labels['pool_views'].shape
  features = model.view_encoder.stem(tf.zeros([1, *views[3:]])).shape[1:]
  pool = tf.TensorSpec(views[:3] + features, tf.float32)
  return images, {**labels, 'pool_views': pool}


def faults(function: Any) -> List[str]:
  """What a TPU would not take, in a graph and in the functions it calls.

  Args:
    function: a ConcreteFunction.

  Returns:
    A line for each: tensors without a fully defined shape, operations that are
    denied, that handle strings, or that XLA has no kernel for.
  """
  found = []
  for operation in _operations(function.graph, set()):
    kind, where = operation.type, f'{operation.type} {operation.name}'
    if _only_asserted(operation):
      continue  # XLA leaves assertions out
    if kind in _DENIED:
      found.append(f'denied: {where}')
    tensors = [*operation.inputs, *operation.outputs]
    if any(tensor.dtype == tf.string for tensor in tensors):
      found.append(f'string: {where}')
    for output in operation.outputs:
      if output.dtype in _NO_ARRAYS or output.shape.is_fully_defined():
        continue
      if not _is_reserve(output):
        found.append(f'dynamic: {where} {output.shape}')
    if kind not in _ARGUMENTS and not _has_kernel(kind):
      found.append(f'no XLA kernel: {where}')
  return found


def _operations(graph: tf.Graph, seen: set) -> Iterator[tf.Operation]:
  for operation in graph.get_operations():
    yield operation
    for value in operation.node_def.attr.values():
      names = [value.func.name] if value.HasField('func') else []
      for name in names + [item.name for item in value.list.func]:
        if name not in seen:
          seen.add(name)
          yield from _operations(graph._get_function(name).graph, seen)


def _only_asserted(operation: tf.Operation) -> bool:
  """Whether it is an assertion, or a text for one."""
  if operation.type == 'Assert':
    return True
  users = [user for out in operation.outputs for user in out.consumers()]
  return (
    bool(users)
    and operation.type == 'Const'
    and (
      operation.outputs[0].dtype == tf.string
      and all(user.type in ('Assert', 'If') for user in users)
    )
  )


def _is_reserve(tensor: tf.Tensor) -> bool:
  """Workspace that a batch norm hands to its gradient; empty but on a GPU."""
  operation = tensor.op
  if operation.type == 'ZerosLike':
    return _is_reserve(operation.inputs[0])
  return operation.type == 'FusedBatchNormV3' and tensor.value_index == 5


def _has_kernel(kind: str, known: Dict[str, bool] = {}) -> bool:  # noqa: B006
  """Whether XLA can compile an operation; control flow has no kernels."""
  if kind not in known:
    registered = kernels.get_registered_kernels_for_op(kind).kernel
    devices = {kernel.device_type for kernel in registered}
    known[kind] = not devices or any('XLA' in device for device in devices)
  return known[kind]
