"""A served model over gRPC; the only door to tensorflow-serving-api."""

import math
from typing import Any
from typing import Dict
from typing import Optional
from typing import Sequence

import numpy as np
import tensorflow as tf

from mask2cad_tf.serving import client
from mask2cad_tf.serving import retries
from mask2cad_tf.serving import served_errors

try:
  import grpc
  from tensorflow_serving.apis import predict_pb2
  from tensorflow_serving.apis import prediction_service_pb2_grpc
except ImportError as error:
  raise ImportError(
    'gRPC needs the package tensorflow-serving-api. Install it: pip install '
    "'mask2cad-tf[serving]'. Or give the server's REST address: "
    'http://HOST:PORT.'
  ) from error

_OPTIONS = (
  ('grpc.max_send_message_length', client.MAX_MESSAGE_BYTES),
  ('grpc.max_receive_message_length', client.MAX_MESSAGE_BYTES),
  # When to try again is decided by `retries`.
  ('grpc.enable_retries', 0),
  ('grpc.initial_reconnect_backoff_ms', 100),
  ('grpc.min_reconnect_backoff_ms', 100),
  ('grpc.max_reconnect_backoff_ms', 500),
)
_BAD_REQUEST = (
  grpc.StatusCode.INVALID_ARGUMENT,
  grpc.StatusCode.OUT_OF_RANGE,
  grpc.StatusCode.RESOURCE_EXHAUSTED,  # a message that is too large
  grpc.StatusCode.UNIMPLEMENTED,
)


class GrpcClient:
  """A `client.Client`."""

  def __init__(self, place: str, model: str, timeout: float, tries: int):
    """Opens a channel, which connects when it is used.

    Args:
      place: HOST:PORT.
      model: its name there.
      timeout: seconds of each try.
      tries: of a request.
    """
    self.address = f'grpc://{place}/{model}'
    self._model = model
    self._timeout = timeout
    self._tries = tries
    self._channel = grpc.insecure_channel(place, options=_OPTIONS)
    self._stub = prediction_service_pb2_grpc.PredictionServiceStub(
      self._channel
    )

  def infer(
    self, photos: Sequence[bytes], intrinsics: Optional[np.ndarray] = None
  ) -> Dict[str, np.ndarray]:
    """See `client.Client`."""
    request = predict_pb2.PredictRequest()
    request.model_spec.name = self._model
    request.model_spec.signature_name = client.PHOTOS_ONLY
    request.inputs['image_bytes'].CopyFrom(
      tf.make_tensor_proto(list(photos), tf.string, [len(photos)])
    )
    if intrinsics is not None:
      request.model_spec.signature_name = client.WITH_INTRINSICS
      request.inputs['intrinsics'].CopyFrom(
        tf.make_tensor_proto(np.asarray(intrinsics, np.float32))
      )
    response = retries.until_available(
      lambda: self._predict(request), self._tries
    )
    return {key: self.array(value) for key, value in response.outputs.items()}

  def array(self, value: Any) -> np.ndarray:
    """A TensorProto's array; a short one may claim to be any size.

    Raises:
      ConnectionError: it does.
    """
    try:
      claimed = math.prod(dim.size for dim in value.tensor_shape.dim)
      if not 0 <= claimed <= client.MAX_ANSWER_BYTES // 8:
        raise ValueError(f'an output of {claimed} values')
      return tf.make_ndarray(value)
    except (TypeError, ValueError) as error:
      raise served_errors.failed(
        self.address, f'its answer is none of TF Serving: {error}'
      ) from error

  def _predict(
    self, request: predict_pb2.PredictRequest
  ) -> predict_pb2.PredictResponse:
    try:
      return self._stub.Predict(request, timeout=self._timeout)
    except grpc.RpcError as error:
      raise self._translated(error) from error

  def _translated(self, error: grpc.RpcError) -> Exception:
    code, detail = error.code(), error.details() or ''
    if code == grpc.StatusCode.UNAVAILABLE:
      return served_errors.unavailable(self.address, detail)
    if code == grpc.StatusCode.DEADLINE_EXCEEDED:
      return served_errors.timed_out(self.address, self._timeout)
    if code == grpc.StatusCode.NOT_FOUND:
      return served_errors.no_such_model(self.address, self._model, detail)
    if code in _BAD_REQUEST:
      return served_errors.refused(self.address, detail)
    return served_errors.failed(self.address, f'{code.name}: {detail}')

  def close(self) -> None:
    """See `client.Client`."""
    self._channel.close()
