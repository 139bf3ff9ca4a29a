"""What can go wrong between client and server, in the caller's words."""

import re

# TensorFlow's own words for bytes that do not decode.
_DAMAGED = {
  'Invalid JPEG': 'the JPEG is damaged or cut short',
  'Invalid PNG': 'the PNG is damaged or cut short',
}


class Unavailable(ConnectionError):
  """No server there, or one that is not ready: it may answer later."""


def unavailable(address: str, detail: str) -> Unavailable:
  """Worth another try."""
  return Unavailable(
    f'No model server at {address!r} ({_line(detail)}). Start it there, or '
    'give its address with --server.'
  )


def failed(address: str, detail: str) -> ConnectionError:
  """The server's fault, and it would fail again."""
  return ConnectionError(
    f'The server at {address!r} failed: {_line(detail)}. Its log says more.'
  )


def timed_out(address: str, seconds: float) -> TimeoutError:
  """It may be at work still, so another try would double its load."""
  return TimeoutError(
    f'The server at {address!r} did not answer within {seconds:g} seconds. '
    'Give it more time with --server_timeout, or a smaller photo.'
  )


def refused(address: str, detail: str) -> ValueError:
  """The request was bad: the same one would be refused again."""
  return ValueError(
    f'The server at {address!r} refused the request: {fault(detail)}'
  )


def no_such_model(address: str, model: str, detail: str) -> ValueError:
  """Another model is served there, or none."""
  return ValueError(
    f'The server at {address!r} serves no model {model!r} ({_line(detail)}). '
    'Give the name that is served: http://HOST:PORT/v1/models/NAME or '
    'grpc://HOST:PORT/NAME.'
  )


def fault(detail: str) -> str:
  """The part of a server's message that is meant for people.

  Args:
    detail: of an error inside the graph, with node names and stack traces.
  """
  own = re.search(r'assertion failed: \[(.*)\]', detail)
  if own:
    return own.group(1).replace("\\'", "'")
  for words, meaning in _DAMAGED.items():
    if words in detail:
      return f'{meaning} ({words} data). Send a JPEG or PNG file.'
  return _line(detail)


def _line(detail: str) -> str:
  """A message in one line, without the nodes that it came through."""
  lines = re.sub(r'\[\[\{\{.*?\}\}\]\]|\[Op:\w+\]', '', detail)
  return ' '.join(lines.split()).rstrip('.')
