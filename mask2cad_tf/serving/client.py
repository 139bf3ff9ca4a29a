"""A served model: photo bytes in, detections with CADs and poses out.

The server is TF Serving with what `mask2cad_tf.export` wrote, or anything else
that speaks its gRPC or REST interface.
"""

import urllib.parse
from typing import Dict
from typing import Optional
from typing import Protocol
from typing import Sequence

import numpy as np

DEFAULT_MODEL = 'mask2cad'
# A PNG of the largest photo that the model takes fits; of answers, far more.
MAX_MESSAGE_BYTES = MAX_ANSWER_BYTES = 256 * 2**20
PHOTOS_ONLY = 'serving_default'
WITH_INTRINSICS = 'serve_with_intrinsics'

_MODELS = '/v1/models/'


class Client(Protocol):
  """A model on a server.

  Attributes:
    address: as messages name it.
  """

  address: str

  def infer(
    self, photos: Sequence[bytes], intrinsics: Optional[np.ndarray] = None
  ) -> Dict[str, np.ndarray]:
    """The outputs of `Mask2CADModule.infer`, as NumPy arrays.

    One photo that the model cannot use fails them all.

    Args:
      photos: B files, JPEG or PNG; an EXIF orientation is not applied.
      intrinsics: float [B, 4], (fx, fy, cx, cy), pixels as stored; None: a
        phone's.

    Raises:
      ValueError: the request is bad, or the server has no such model.
      TimeoutError: no answer in time.
      ConnectionError: no server, or it failed. What may pass
        (served_errors.Unavailable) has been tried several times.
    """
    ...

  def close(self) -> None:
    """Ends the connection."""
    ...


def connect(address: str, timeout: float = 60.0, tries: int = 5) -> Client:
  """A client; nothing is sent yet.

  Args:
    address: grpc://HOST:PORT[/NAME] or HOST:PORT for gRPC,
      http://HOST:PORT[/v1/models/NAME] for REST; NAME is 'mask2cad' where it is
      not given.
    timeout: seconds of each try.
    tries: of a request, where the server is not there or not ready.

  Raises:
    ValueError: not such an address.
    ImportError: gRPC, and tensorflow-serving-api is not installed.
  """
  parts = urllib.parse.urlsplit(
    address if '://' in address else f'grpc://{address}'
  )
  model = _model(parts)
  if model is None or not _is_place(parts):
    raise ValueError(
      f'{address!r} is no address of a model server. Give '
      'grpc://HOST:PORT[/NAME], HOST:PORT or http://HOST:PORT[/v1/models/NAME].'
    )
  # Imported late: whoever uses one does not need the other's libraries.
  if parts.scheme == 'grpc':
    from mask2cad_tf.serving import grpc_client

    return grpc_client.GrpcClient(parts.netloc, model, timeout, tries)
  from mask2cad_tf.serving import rest_client

  return rest_client.RestClient(
    f'{parts.scheme}://{parts.netloc}', model, timeout, tries
  )


def _is_place(parts: urllib.parse.SplitResult) -> bool:
  """Whether there are host and port; HTTP has a port of its own."""
  if parts.scheme not in ('grpc', 'http', 'https'):
    return False
  if parts.query or parts.fragment or parts.username:
    return False
  try:
    return bool(parts.hostname) and (parts.scheme != 'grpc' or parts.port > 0)
  except (TypeError, ValueError):  # no port, or none that is a number
    return False


def _model(parts: urllib.parse.SplitResult) -> Optional[str]:
  """The model's name; None where the path is none of a model."""
  path = parts.path.rstrip('/')
  if not path:
    return DEFAULT_MODEL
  if parts.scheme == 'grpc':
    name = path[1:]
  elif path.startswith(_MODELS):
    name = path[len(_MODELS) :]
  else:
    return None
  return name if name and not set('/: ') & set(name) else None
