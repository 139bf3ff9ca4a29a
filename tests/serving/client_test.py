"""Clients against a stand-in that runs a real SavedModel."""

import builtins
import contextlib
import importlib
import socket
import subprocess
import sys
import threading
import time

import grpc
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from mask2cad_tf.serving import client as client_lib
from mask2cad_tf.serving import grpc_client
from mask2cad_tf.serving import rest_client
from mask2cad_tf.serving import served_errors
from tests import bad_photos
from tests import stand_in_server

_CAMERA = np.array([[500.0, 510.0, 200.0, 100.0]])


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
  """The stand-in is on the loopback, whatever stands between us and others."""
  for name in ('no_proxy', 'NO_PROXY', 'no_grpc_proxy'):
    monkeypatch.setenv(name, '127.0.0.1')


@pytest.fixture
def stand_in(servable):
  with stand_in_server.serve(servable) as server:
    yield server


@pytest.fixture(params=['grpc', 'rest'])
def protocol(request):
  return request.param


def _address(server, protocol):
  return server.grpc_address if protocol == 'grpc' else server.rest_address


@pytest.fixture
def connect(stand_in, protocol):
  """Makes clients, and closes them."""
  with contextlib.ExitStack() as stack:

    def make(suffix='', **options):
      client = client_lib.connect(
        _address(stand_in, protocol) + suffix, **options
      )
      stack.callback(client.close)
      return client

    yield make


def _photo_bytes(tiny_world, *indices):
  photos = []
  for index in indices:
    with open(tiny_world.photos[index], 'rb') as file:
      photos.append(file.read())
  return photos


def _unavailable():
  return stand_in_server.Refusal(grpc.StatusCode.UNAVAILABLE, 'loading')


@pytest.mark.parametrize('index', [0, 2])
def test_outputs_are_those_of_infer(connect, tiny_world, index):
  image = np.asarray(Image.open(tiny_world.photos[index]).convert('RGB'))
  expected = tiny_world.module.predict(image, _CAMERA[0])
  found = connect().infer(_photo_bytes(tiny_world, index), _CAMERA)
  assert set(found) == set(expected)
  assert found['num_detections'][0] > 0
  for key, value in expected.items():
    assert found[key].dtype == value.numpy().dtype, key
    assert found[key].shape == value.shape, key
    if found[key].dtype == object:
      np.testing.assert_array_equal(found[key], value.numpy())
    else:
      # To the last digit: render-and-compare turns any other into another CAD
      # where two fit alike.
      np.testing.assert_allclose(
        found[key], value, rtol=1e-5, atol=1e-5, err_msg=key
      )


def test_a_batch_without_cameras(connect, tiny_world):
  client = connect()
  together = client.infer(_photo_bytes(tiny_world, 0, 1, 2))
  assert together['detection_cad_ids'].shape == (3, 5, 5)
  alone = client.infer(_photo_bytes(tiny_world, 1))
  np.testing.assert_allclose(
    together['intrinsics'][1], alone['intrinsics'][0], rtol=1e-5
  )
  np.testing.assert_allclose(
    together['detection_boxes'][1], alone['detection_boxes'][0], atol=0.5
  )


@pytest.mark.parametrize('fault', bad_photos.FAULTS)
def test_a_bad_photo_is_refused_with_its_fault(connect, stand_in, fault):
  photo, message = bad_photos.FAULTS[fault]
  client = connect()
  with pytest.raises(ValueError, match=message) as error:
    client.infer([photo()], _CAMERA)
  assert client.address in str(error.value)
  assert '{{node' not in str(error.value)
  assert '\n' not in str(error.value)
  assert stand_in.num_requests == 1  # never tried again


@pytest.mark.parametrize(
  'camera, message',
  [
    ([[np.nan, 500.0, 1.0, 1.0]], r'intrinsics\[0\]: nan, .*expected finite'),
    ([[0.0, 500.0, 1.0, 1.0]], 'fx and fy above 0'),
    ([[500.0, 500.0, np.inf, 1.0]], 'expected finite'),
    ([[500.0, 500.0, 1.0, 1.0]] * 2, '2 rows for 1 photos'),
  ],
)
def test_a_bad_camera_is_refused_with_its_fault(
  connect, tiny_world, camera, message
):
  with pytest.raises(ValueError, match=message):
    connect().infer(_photo_bytes(tiny_world, 0), np.array(camera))


def test_one_bad_photo_fails_its_batch_and_is_named(connect, tiny_world):
  photos = [*_photo_bytes(tiny_world, 0, 1), b'text']
  client = connect()
  with pytest.raises(ValueError, match=r'image_bytes\[2\]: 4 bytes'):
    client.infer(photos)
  assert client.infer(photos[:2])['num_detections'].all()  # and goes on


def test_a_server_that_is_not_ready_is_asked_again(
  connect, stand_in, tiny_world
):
  client = connect()
  stand_in.refusals += [_unavailable(), _unavailable()]
  assert client.infer(_photo_bytes(tiny_world, 0))['num_detections'][0] > 0
  assert stand_in.num_requests == 3


def test_a_server_that_is_never_ready_is_given_up(
  connect, stand_in, tiny_world
):
  client = connect(tries=2)
  stand_in.refusals += [_unavailable() for _ in range(9)]
  with pytest.raises(served_errors.Unavailable, match='loading.*--server'):
    client.infer(_photo_bytes(tiny_world, 0))
  assert stand_in.num_requests == 2


@pytest.mark.parametrize(
  'code', [grpc.StatusCode.INTERNAL, grpc.StatusCode.FAILED_PRECONDITION]
)
def test_a_server_that_fails_is_not_asked_again(
  connect, stand_in, tiny_world, code
):
  client = connect()
  stand_in.refusals += [stand_in_server.Refusal(code, 'out of order')] * 2
  with pytest.raises(ConnectionError, match='failed.*out of order'):
    client.infer(_photo_bytes(tiny_world, 0))
  assert stand_in.num_requests == 1


def test_time_runs_out_once(connect, stand_in, tiny_world):
  client = connect(timeout=0.5)
  stand_in.delay = 2.0
  start = time.monotonic()
  with pytest.raises(TimeoutError, match='within 0.5 seconds'):
    client.infer(_photo_bytes(tiny_world, 0))
  assert time.monotonic() - start < 2.0
  assert stand_in.num_requests == 1


def test_another_models_name(connect, protocol):
  suffix = '/sofa' if protocol == 'grpc' else '/v1/models/sofa'
  with pytest.raises(ValueError, match="serves no model 'sofa'"):
    connect(suffix).infer([b'photo'])


def _free_port():
  with socket.socket() as probe:
    probe.bind(('127.0.0.1', 0))
    return probe.getsockname()[1]


@pytest.mark.parametrize('scheme', ['grpc', 'http'])
def test_nobody_there(scheme):
  address = f'{scheme}://127.0.0.1:{_free_port()}'
  client = client_lib.connect(address, tries=2)
  with pytest.raises(served_errors.Unavailable, match='No model server at'):
    client.infer([b'photo'])
  client.close()


def test_a_server_that_starts_late_is_found(servable, tiny_world, protocol):
  port = _free_port()
  address = f'127.0.0.1:{port}'
  if protocol == 'rest':
    address = f'http://{address}'
  with contextlib.ExitStack() as stack:
    start = threading.Timer(
      0.4,
      lambda: stack.enter_context(
        stand_in_server.serve(servable, **{f'{protocol}_port': port})
      ),
    )
    start.start()
    client = client_lib.connect(address)
    assert client.infer(_photo_bytes(tiny_world, 0))['num_detections'][0] > 0
    client.close()
    start.join()


def test_the_ports_mixed_up(stand_in):
  rest = client_lib.connect(f'http://{stand_in.grpc_address}', tries=1)
  with pytest.raises(ConnectionError, match='not that of gRPC'):
    rest.infer([b'photo'])
  place = stand_in.rest_address.partition('//')[2]
  over_grpc = client_lib.connect(place, tries=1)
  with pytest.raises(ConnectionError, match='No model server'):
    over_grpc.infer([b'photo'])
  over_grpc.close()


def test_a_large_photo_fits_into_a_message(connect):
  rng = np.random.default_rng(0)
  photo = rng.bytes(6 * 2**20)  # gRPC's own limit is 4 MiB
  with pytest.raises(ValueError, match='6291456 bytes that are neither'):
    connect().infer([photo])


@pytest.mark.parametrize(
  'address, kind, shown',
  [
    ('h:8500', grpc_client.GrpcClient, 'grpc://h:8500/mask2cad'),
    ('grpc://h:8500', grpc_client.GrpcClient, 'grpc://h:8500/mask2cad'),
    ('grpc://h:8500/beds', grpc_client.GrpcClient, 'grpc://h:8500/beds'),
    ('grpc://[::1]:1', grpc_client.GrpcClient, 'grpc://[::1]:1/mask2cad'),
    ('http://h', rest_client.RestClient, 'http://h/v1/models/mask2cad'),
    (
      'https://h:1/v1/models/beds/',
      rest_client.RestClient,
      'https://h:1/v1/models/beds',
    ),
  ],
)
def test_addresses(address, kind, shown):
  client = client_lib.connect(address)
  assert isinstance(client, kind)
  assert client.address == shown
  client.close()


@pytest.mark.parametrize(
  'address',
  [
    '',
    'h',
    'h:port',
    'grpc://h',
    'ftp://h:1',
    'http://',
    'http://h:1/beds',
    'http://h:1/v1/models/beds:predict',
    'grpc://h:1/a/b',
    'http://h:1?x=1',
    'h:99999',
  ],
)
def test_what_is_no_address(address):
  with pytest.raises(ValueError, match='no address of a model server'):
    client_lib.connect(address)


def test_grpc_without_its_package_says_how_to_get_it(monkeypatch):
  real = builtins.__import__

  def no_serving(name, *arguments, **options):
    if name.startswith('tensorflow_serving'):
      raise ImportError(name)
    return real(name, *arguments, **options)

  monkeypatch.setattr(builtins, '__import__', no_serving)
  monkeypatch.delitem(sys.modules, 'mask2cad_tf.serving.grpc_client')
  with pytest.raises(ImportError, match=r"pip install 'mask2cad-tf\[serving\]"):
    importlib.import_module('mask2cad_tf.serving.grpc_client')


def test_rest_needs_neither_grpc_nor_tensorflow():
  code = (
    'import sys; from mask2cad_tf.serving import client; '
    "client.connect('http://h:1'); "
    "sys.exit(bool({'tensorflow', 'grpc'} & set(sys.modules)))"
  )
  subprocess.run([sys.executable, '-c', code], check=True)


@pytest.mark.parametrize(
  'body, message',
  [
    (b'[]', 'none of TF Serving'),
    (b'{"outputs": {"colour": [1]}}', "'colour'"),
    (b'<html>', 'REST port'),
  ],
)
def test_an_answer_that_is_none(stand_in, monkeypatch, body, message):
  client = client_lib.connect(stand_in.rest_address)
  assert client._signatures  # asked for before the server goes wrong
  monkeypatch.setattr(
    stand_in_server._RestHandler,
    'do_POST',
    lambda handler: (
      handler.rfile.read(int(handler.headers['Content-Length'])),
      handler.send_response(200),
      handler.end_headers(),
      handler.wfile.write(body),
    ),
  )
  with pytest.raises(ConnectionError, match=message):
    client.infer([b'photo'])


def test_a_model_without_the_signature(tmp_path):
  module = tf.Module()
  module.serve = tf.function(
    lambda image_bytes: {'length': tf.strings.length(image_bytes)},
    input_signature=[tf.TensorSpec([None], tf.string, name='image_bytes')],
  )
  tf.saved_model.save(module, str(tmp_path), signatures={'other': module.serve})
  servable = stand_in_server.Servable(str(tmp_path))
  with stand_in_server.serve(servable) as server:
    for address in (server.grpc_address, server.rest_address):
      client = client_lib.connect(address)
      with pytest.raises(ValueError, match='serving_default'):
        client.infer([b'photo'])
      client.close()


def test_a_short_answer_that_claims_any_size():
  proto = tf.make_tensor_proto([1.0])
  proto.tensor_shape.Clear()
  for size in (1 << 20, 1 << 20):
    proto.tensor_shape.dim.add(size=size)
  client = grpc_client.GrpcClient('127.0.0.1:1', 'mask2cad', 1.0, 1)
  with pytest.raises(ConnectionError, match='1099511627776 values'):
    client.array(proto)
  client.close()


def test_an_answer_without_end(monkeypatch):
  class _Endless(contextlib.nullcontext):
    def read(self, size):
      return b' ' * size

  endless = _Endless()
  endless.enter_result = endless
  monkeypatch.setattr(client_lib, 'MAX_ANSWER_BYTES', 1000)
  monkeypatch.setattr('urllib.request.urlopen', lambda *_, **__: endless)
  client = rest_client.RestClient('http://server.test', 'mask2cad', 1.0, 1)
  with pytest.raises(ConnectionError, match='an answer without end'):
    client.infer([b''])
