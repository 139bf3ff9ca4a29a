"""A served model over TF Serving's REST interface; no TensorFlow needed."""

import base64
import functools
import http.client
import json
import socket
import urllib.error
import urllib.request
from typing import Any
from typing import Dict
from typing import Mapping
from typing import Optional
from typing import Sequence

import numpy as np

from mask2cad_tf.serving import client
from mask2cad_tf.serving import retries
from mask2cad_tf.serving import served_errors

_DTYPES = {
  'DT_FLOAT': np.float32,
  'DT_INT32': np.int32,
  'DT_INT64': np.int64,
  'DT_UINT8': np.uint8,
  'DT_BOOL': bool,
  'DT_STRING': object,
}
_BAD_REQUEST = (400, 405, 411, 413, 415, 429)
_TIMED_OUT = (408, 504)
_MAX_DETAIL_BYTES = 1 << 16


class RestClient:
  """A `client.Client`."""

  def __init__(self, place: str, model: str, timeout: float, tries: int):
    """Keeps the address; nothing is sent.

    Args:
      place: http://HOST:PORT.
      model: its name there.
      timeout: seconds of each try.
      tries: of a request.
    """
    self.address = f'{place}/v1/models/{model}'
    self._model = model
    self._timeout = timeout
    self._tries = tries

  def infer(
    self, photos: Sequence[bytes], intrinsics: Optional[np.ndarray] = None
  ) -> Dict[str, np.ndarray]:
    """See `client.Client`."""
    name = client.PHOTOS_ONLY
    inputs: Dict[str, Any] = {
      'image_bytes': [
        {'b64': base64.b64encode(photo).decode()} for photo in photos
      ]
    }
    if intrinsics is not None:
      name = client.WITH_INTRINSICS
      inputs['intrinsics'] = np.asarray(intrinsics, np.float64).tolist()
    dtypes = self._output_dtypes(name)
    answer = self._ask(
      ':predict', json.dumps({'signature_name': name, 'inputs': inputs})
    )
    try:
      return {
        key: _array(values, dtypes[key])
        for key, values in answer['outputs'].items()
      }
    except (
      AttributeError,
      KeyError,
      OverflowError,
      TypeError,
      ValueError,
    ) as error:
      raise served_errors.failed(
        self.address, f'its answer is none of TF Serving: {error!r}'
      ) from error

  def _output_dtypes(self, signature: str) -> Mapping[str, Any]:
    """Dtype of every output; JSON has none."""
    signatures = self._signatures
    if signature not in signatures:
      names = (name for name in sorted(signatures) if not name.startswith('__'))
      raise ValueError(
        f'The model at {self.address!r} has no signature {signature}, but '
        f'{", ".join(names)}. Serve what mask2cad_tf.export wrote.'
      )
    try:
      return {
        key: _DTYPES[output['dtype']]
        for key, output in signatures[signature]['outputs'].items()
      }
    except (AttributeError, KeyError, TypeError) as error:
      raise served_errors.failed(
        self.address, f'its metadata are none of TF Serving: {error!r}'
      ) from error

  @functools.cached_property
  def _signatures(self) -> Mapping[str, Any]:
    answer = self._ask('/metadata')
    try:
      signatures = answer['metadata']['signature_def']['signature_def']
      return {str(name): value for name, value in signatures.items()}
    except (AttributeError, KeyError, TypeError) as error:
      raise served_errors.failed(
        self.address, f'its metadata are none of TF Serving: {error!r}'
      ) from error

  def _ask(self, what: str, body: Optional[str] = None) -> Any:
    """The JSON that the server answers, after as many tries as it takes."""
    request = urllib.request.Request(
      self.address + what,
      None if body is None else body.encode(),
      {'Content-Type': 'application/json'},
    )
    return retries.until_available(lambda: self._try(request), self._tries)

  def _try(self, request: urllib.request.Request) -> Any:
    try:
      with urllib.request.urlopen(request, timeout=self._timeout) as response:
        body = response.read(client.MAX_ANSWER_BYTES + 1)
      if len(body) > client.MAX_ANSWER_BYTES:
        raise served_errors.failed(self.address, 'an answer without end')
      return json.loads(body)
    except urllib.error.HTTPError as error:
      with error:
        detail = _detail(error.read(_MAX_DETAIL_BYTES))
      raise self._translated(error.code, detail) from error
    except urllib.error.URLError as error:
      raise self._unreached(error.reason) from error
    except ConnectionError:
      raise
    except (
      OSError,
      RecursionError,
      ValueError,
      http.client.HTTPException,
    ) as error:
      raise self._unreached(error) from error

  def _translated(self, status: int, detail: str) -> Exception:
    if status == 503:
      return served_errors.unavailable(self.address, detail)
    if status in _TIMED_OUT:
      return served_errors.timed_out(self.address, self._timeout)
    if status == 404:
      return served_errors.no_such_model(self.address, self._model, detail)
    if status in _BAD_REQUEST:
      return served_errors.refused(self.address, detail)
    return served_errors.failed(self.address, f'HTTP {status}: {detail}')

  def _unreached(self, reason: Any) -> Exception:
    """Of a request that got no status."""
    if isinstance(reason, (TimeoutError, socket.timeout)):
      return served_errors.timed_out(self.address, self._timeout)
    if isinstance(reason, ConnectionRefusedError):
      return served_errors.unavailable(self.address, str(reason))
    return served_errors.failed(
      self.address, f'{reason!r}; is that a REST port, not that of gRPC?'
    )

  def close(self) -> None:
    """See `client.Client`; every request has a connection of its own."""


def _detail(body: bytes) -> str:
  """What an answer that is no success says."""
  try:
    return str(json.loads(body)['error'])
  except (ValueError, KeyError, RecursionError, TypeError):
    return body[:200].decode(errors='replace')


def _array(values: Any, dtype: Any) -> np.ndarray:
  """Nested lists as an array; strings as bytes, as TensorFlow has them."""
  array = np.array(values, dtype)
  if dtype is object:
    encoded = [value.encode() for value in array.ravel()]
    array = np.array(encoded, object).reshape(array.shape)
  return array
