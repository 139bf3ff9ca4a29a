"""The OpenImages detector's weights, out of the npm package that has them.

The package @mediapipe/objectron (Apache-2.0) carries a TensorFlow Lite file
among its assets. `mask2cad_tf.pack` reads it once; every later model has the
weights from the packaged one.
"""

from typing import Iterator
from typing import List
from typing import Tuple

import numpy as np
from tensorflow.lite.python import schema_py_generated as schema

from mask2cad_tf import conventions

SUFFIX = '.data'
_IDENTIFIER = b'TFL3'  # of a TensorFlow Lite file, after its first four bytes
_NUM_CLASSES = 24
_DTYPES = {
  schema.TensorType.FLOAT16: np.float16,
  schema.TensorType.FLOAT32: np.float32,
}


def read(path: str) -> List[np.ndarray]:
  """Kernels and biases, in the order of the layer's weights.

  Args:
    path: the package's objectron_solution_packed_assets.data.

  Returns:
    Arrays for layers.openimages_detector.OpenImagesDetector.set_weights.

  Raises:
    FileNotFoundError: no such file.
    ValueError: no TensorFlow Lite file is in it.
  """
  with open(path, 'rb') as file:
    content = file.read()
  start = content.find(_IDENTIFIER) - 4
  if start < 0:
    raise ValueError(
      f'{path!r} holds no TensorFlow Lite file. Expected '
      'objectron_solution_packed_assets.data of what `npm pack '
      '@mediapipe/objectron` fetches.'
    )
  return [array for pair in _convolutions(content[start:]) for array in pair]


def _convolutions(content: bytes) -> Iterator[Tuple[np.ndarray, np.ndarray]]:
  """Kernel and bias of every convolution, in Keras's layouts."""
  model = schema.Model.GetRootAsModel(content, 0)
  graph = model.Subgraphs(0)
  stored = {}  # of what a DEQUANTIZE makes float32: where it lies

  def array(index: int) -> np.ndarray:
    tensor = graph.Tensors(stored.get(index, index))
    data = model.Buffers(tensor.Buffer()).DataAsNumpy().tobytes()
    return np.frombuffer(data, _DTYPES[tensor.Type()]).reshape(
      tensor.ShapeAsNumpy()
    )

  for i in range(graph.OperatorsLength()):
    operator = graph.Operators(i)
    entry = model.OperatorCodes(operator.OpcodeIndex())
    code = max(entry.BuiltinCode(), entry.DeprecatedBuiltinCode())
    if code == schema.BuiltinOperator.DEQUANTIZE:
      stored[operator.Outputs(0)] = operator.Inputs(0)
    if code not in (
      schema.BuiltinOperator.CONV_2D,
      schema.BuiltinOperator.DEPTHWISE_CONV_2D,
    ):
      continue
    # OHWI and 1HWO there; HWIO and HWO1 here.
    kernel = array(operator.Inputs(1)).transpose(1, 2, 3, 0)
    bias = array(operator.Inputs(2))
    # Its name is those of all operations fused into it, its own first.
    name = graph.Tensors(operator.Outputs(0)).Name().split(b';')[0]
    if b'ClassPredictor' in name:
      kernel, bias = _of_known_classes(kernel), _of_known_classes(bias)
    yield kernel, bias


def _of_known_classes(values: np.ndarray) -> np.ndarray:
  """[..., A * 24] to [..., A * K]."""
  known = list(conventions.OPENIMAGES_CLASSES.values())
  by_anchor = values.reshape(*values.shape[:-1], -1, _NUM_CLASSES)
  return by_anchor[..., known].reshape(*values.shape[:-1], -1)
