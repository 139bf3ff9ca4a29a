"""A stand-in for TF Serving, whose binary no package registry has.

It speaks the protobufs of tensorflow-serving-api over gRPC and TF Serving's
JSON over HTTP, and runs a SavedModel as TF Serving does: Session.run of the
tensors that a signature names. On the loopback only. What it does not show is
TF Serving itself: its loader, its versions, its batching.

  python -m tests.stand_in_server --saved_model=DIR --seconds=60

prints the addresses as one line of JSON and serves for so long.
"""

import base64
import contextlib
import dataclasses
import http.server
import json
import socketserver
import threading
import time
from concurrent import futures
from typing import Any
from typing import Dict
from typing import Iterator
from typing import List
from typing import Mapping

import grpc
import numpy as np
import tensorflow as tf
from absl import app
from absl import flags
from google.protobuf import json_format
from tensorflow_serving.apis import predict_pb2
from tensorflow_serving.apis import prediction_service_pb2_grpc

_SAVED_MODEL = flags.DEFINE_string('saved_model', None, 'Exported folder.')
_SECONDS = flags.DEFINE_float('seconds', 600.0, 'Then it ends.')
_GRPC_PORT = flags.DEFINE_integer('grpc_port', 0, '0: any that is free.')
_REST_PORT = flags.DEFINE_integer('rest_port', 0, '0: any that is free.')
_NUM_THREADS = flags.DEFINE_integer('num_threads', 8, 'Requests at a time.')

_CODES = {code.value[0]: code for code in grpc.StatusCode}
_HTTP = {
  grpc.StatusCode.INVALID_ARGUMENT: 400,
  grpc.StatusCode.NOT_FOUND: 404,
  grpc.StatusCode.DEADLINE_EXCEEDED: 504,
  grpc.StatusCode.UNAVAILABLE: 503,
}


class Refusal(Exception):
  """A request that gets a status in place of an answer."""

  def __init__(self, code: grpc.StatusCode, message: str):
    super().__init__(message)
    self.code = code
    self.message = message


class Servable:
  """A SavedModel in a session."""

  def __init__(self, folder: str):
    self._session = tf.compat.v1.Session(graph=tf.Graph())
    with self._session.graph.as_default():
      meta = tf.compat.v1.saved_model.load(self._session, ['serve'], folder)
    self.signatures = dict(meta.signature_def)

  def run(
    self, name: str, inputs: Mapping[str, np.ndarray]
  ) -> Dict[str, np.ndarray]:
    """The outputs of a signature; raises Refusal."""
    signature = self._signature(name)
    if set(inputs) != set(signature.inputs):
      raise Refusal(
        grpc.StatusCode.INVALID_ARGUMENT,
        f'inputs {sorted(inputs)} are not those of the signature, '
        f'{sorted(signature.inputs)}',
      )
    try:
      return self._session.run(
        {key: value.name for key, value in signature.outputs.items()},
        {signature.inputs[key].name: value for key, value in inputs.items()},
      )
    except tf.errors.OpError as error:
      raise Refusal(_CODES[error.error_code], error.message) from error
    except (ValueError, TypeError) as error:  # what Session.run cannot feed
      raise Refusal(grpc.StatusCode.INVALID_ARGUMENT, str(error)) from error

  def dtype(self, name: str, key: str) -> np.dtype:
    """Of an input; raises Refusal."""
    signature = self._signature(name)
    if key not in signature.inputs:
      raise Refusal(grpc.StatusCode.INVALID_ARGUMENT, f'no input {key!r}')
    return tf.as_dtype(signature.inputs[key].dtype).as_numpy_dtype

  def _signature(self, name: str):
    if name not in self.signatures:
      raise Refusal(
        grpc.StatusCode.INVALID_ARGUMENT,
        f'Serving signature name: "{name}" not found in signature def',
      )
    return self.signatures[name]


@dataclasses.dataclass
class StandIn:
  """A running server.

  Attributes:
    servable: the model.
    name: of the model.
    grpc_address: HOST:PORT.
    rest_address: http://HOST:PORT.
    refusals: taken from the front, one a request, in place of an answer.
    delay: seconds before each answer.
    num_requests: predictions asked for so far.
  """

  servable: Servable
  name: str
  grpc_address: str = ''
  rest_address: str = ''
  refusals: List[Refusal] = dataclasses.field(default_factory=list)
  delay: float = 0.0
  num_requests: int = 0

  def predict(
    self, model: str, signature: str, inputs: Mapping[str, np.ndarray]
  ) -> Dict[str, np.ndarray]:
    self.num_requests += 1
    if self.refusals:
      raise self.refusals.pop(0)
    time.sleep(self.delay)
    self.check_name(model)
    return self.servable.run(signature or 'serving_default', inputs)

  def check_name(self, model: str) -> None:
    if model != self.name:
      raise Refusal(
        grpc.StatusCode.NOT_FOUND,
        f'Servable not found for request: Latest({model})',
      )


class _GrpcService(prediction_service_pb2_grpc.PredictionServiceServicer):
  def __init__(self, stand_in: StandIn):
    self._stand_in = stand_in

  def Predict(self, request, context):  # the protocol's name
    spec = request.model_spec
    try:
      inputs = {k: tf.make_ndarray(v) for k, v in request.inputs.items()}
      outputs = self._stand_in.predict(spec.name, spec.signature_name, inputs)
    except Refusal as refusal:
      context.abort(refusal.code, refusal.message)
    response = predict_pb2.PredictResponse()
    for key, value in outputs.items():
      response.outputs[key].CopyFrom(tf.make_tensor_proto(value))
    return response


class _HttpServer(socketserver.ThreadingMixIn, http.server.HTTPServer):
  daemon_threads = True
  request_queue_size = 64
  stand_in: StandIn


class _RestHandler(http.server.BaseHTTPRequestHandler):
  server: _HttpServer

  def log_message(self, *arguments) -> None:
    """Quiet."""

  def do_GET(self) -> None:  # http.server's name
    self._answer(self._get)

  def do_POST(self) -> None:  # http.server's name
    self._answer(self._post)

  def _answer(self, work) -> None:
    try:
      status, content = 200, work()
    except Refusal as refusal:
      status, content = _HTTP.get(refusal.code, 500), {'error': refusal.message}
    body = json.dumps(content).encode()
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
      self.send_response(status)
      self.send_header('Content-Type', 'application/json')
      self.send_header('Content-Length', str(len(body)))
      self.end_headers()
      self.wfile.write(body)

  def _model(self, suffix: str) -> str:
    start = '/v1/models/'
    if not (self.path.startswith(start) and self.path.endswith(suffix)):
      raise Refusal(
        grpc.StatusCode.INVALID_ARGUMENT,
        f'Malformed request: {self.command} {self.path}',
      )
    return self.path[len(start) : len(self.path) - len(suffix)]

  def _get(self) -> Dict[str, Any]:
    stand_in = self.server.stand_in
    if not self.path.endswith('/metadata'):
      stand_in.check_name(self._model(''))
      return {'model_version_status': [{'version': '1', 'state': 'AVAILABLE'}]}
    model = self._model('/metadata')
    stand_in.check_name(model)
    return {
      'model_spec': {'name': model, 'signature_name': '', 'version': '1'},
      'metadata': {
        'signature_def': {
          'signature_def': {
            name: json_format.MessageToDict(
              signature, preserving_proto_field_name=True
            )
            for name, signature in stand_in.servable.signatures.items()
          }
        }
      },
    }

  def _post(self) -> Dict[str, Any]:
    """Both forms: columns (`inputs`) and rows (`instances`)."""
    stand_in = self.server.stand_in
    body = self.rfile.read(int(self.headers['Content-Length']))
    model = self._model(':predict')
    try:
      request = json.loads(body)
      name = request.get('signature_name', 'serving_default')
      in_rows = 'instances' in request
      columns = _columns(request['instances']) if in_rows else request['inputs']
      inputs = {
        key: np.array(
          _decoded(value), self.server.stand_in.servable.dtype(name, key)
        )
        for key, value in columns.items()
      }
    except (ValueError, KeyError, TypeError, AttributeError) as error:
      raise Refusal(
        grpc.StatusCode.INVALID_ARGUMENT, f'JSON Parse error: {error!r}'
      ) from error
    outputs = stand_in.predict(model, name, inputs)
    lists = {key: _plain(value) for key, value in outputs.items()}
    if not in_rows:
      return {'outputs': lists}
    rows = zip(*lists.values())
    return {'predictions': [dict(zip(lists, row)) for row in rows]}


def _columns(instances: List[Mapping[str, Any]]) -> Dict[str, List[Any]]:
  return {key: [row[key] for row in instances] for key in instances[0]}


def _decoded(value: Any) -> Any:
  """JSON values with {"b64": ...} as bytes."""
  if isinstance(value, list):
    return [_decoded(each) for each in value]
  if isinstance(value, dict):
    return base64.b64decode(value['b64'], validate=True)
  return value


def _plain(array: np.ndarray) -> Any:
  """Nested lists; bytes as text."""
  if array.dtype == object:
    texts = [value.decode() for value in array.ravel()]
    return np.array(texts, object).reshape(array.shape).tolist()
  return array.tolist()


@contextlib.contextmanager
def serve(
  servable: Servable,
  name: str = 'mask2cad',
  grpc_port: int = 0,
  rest_port: int = 0,
  num_threads: int = 8,
) -> Iterator[StandIn]:
  """Serves on the loopback until the block ends."""
  stand_in = StandIn(servable, name)
  grpc_server = grpc.server(
    futures.ThreadPoolExecutor(num_threads),
    options=[
      ('grpc.max_receive_message_length', -1),
      ('grpc.max_send_message_length', -1),
      ('grpc.so_reuseport', 0),
    ],
  )
  prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
    _GrpcService(stand_in), grpc_server
  )
  port = grpc_server.add_insecure_port(f'127.0.0.1:{grpc_port}')
  stand_in.grpc_address = f'127.0.0.1:{port}'
  http_server = _HttpServer(('127.0.0.1', rest_port), _RestHandler)
  http_server.stand_in = stand_in
  stand_in.rest_address = f'http://127.0.0.1:{http_server.server_port}'
  grpc_server.start()
  thread = threading.Thread(target=http_server.serve_forever, daemon=True)
  thread.start()
  try:
    yield stand_in
  finally:
    http_server.shutdown()
    http_server.server_close()
    thread.join()
    grpc_server.stop(grace=None).wait()


def main(argv):
  del argv
  servable = Servable(_SAVED_MODEL.value)
  with serve(
    servable,
    grpc_port=_GRPC_PORT.value,
    rest_port=_REST_PORT.value,
    num_threads=_NUM_THREADS.value,
  ) as stand_in:
    addresses = {'grpc': stand_in.grpc_address, 'rest': stand_in.rest_address}
    print(json.dumps(addresses), flush=True)
    time.sleep(_SECONDS.value)


if __name__ == '__main__':
  flags.mark_flag_as_required('saved_model')
  app.run(main)
