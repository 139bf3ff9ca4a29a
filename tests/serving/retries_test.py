"""Who is asked again, how often, and after how long."""

import pytest

from mask2cad_tf.serving import retries
from mask2cad_tf.serving import served_errors


class _Server:
  """Fails with the given errors, then answers."""

  def __init__(self, *errors):
    self.errors = list(errors)
    self.asked = 0

  def __call__(self):
    self.asked += 1
    if self.errors:
      raise self.errors.pop(0)
    return 'answer'


def _unavailable():
  return served_errors.unavailable('h:1', 'loading')


@pytest.mark.parametrize('failures', range(4))
def test_until_it_answers(failures):
  server, waits = _Server(*[_unavailable()] * failures), []
  assert retries.until_available(server, 4, sleep=waits.append) == 'answer'
  assert server.asked == failures + 1
  # 0.25, 0.5 and 1 second, up to a half taken off.
  for wait, longest in zip(waits, (0.25, 0.5, 1.0)):
    assert 0.5 * longest <= wait <= longest
  assert len(waits) == failures


def test_the_last_error_comes_through():
  server, waits = _Server(*[_unavailable()] * 9), []
  with pytest.raises(served_errors.Unavailable, match='loading'):
    retries.until_available(server, 3, sleep=waits.append)
  assert (server.asked, len(waits)) == (3, 2)


@pytest.mark.parametrize(
  'error',
  [
    served_errors.refused('h:1', 'bad'),
    served_errors.timed_out('h:1', 1.0),
    served_errors.failed('h:1', 'broken'),
    served_errors.no_such_model('h:1', 'm', 'none'),
  ],
)
def test_nothing_else_is_tried_again(error):
  server = _Server(error)
  with pytest.raises(type(error)):
    retries.until_available(server, 3, sleep=pytest.fail)
  assert server.asked == 1


@pytest.mark.parametrize(
  'detail, expected',
  [
    (
      "Graph execution error:\n\nassertion failed: [image_bytes[0]: it\\'s "
      'bad.]\n\t [[{{node map/while/Assert}}]]',
      "image_bytes[0]: it's bad.",
    ),
    (
      '2 root error(s) found.\n  (0) INVALID_ARGUMENT: Invalid JPEG data or '
      'crop window, data size 7\n\t [[{{node DecodeJpeg}}]]',
      'the JPEG is damaged or cut short (Invalid JPEG data). Send a JPEG or '
      'PNG file.',
    ),
    ('no such\n thing.\n\t [[{{node x}}]] [Op:f]', 'no such thing'),
  ],
)
def test_the_fault_without_what_surrounds_it(detail, expected):
  assert served_errors.fault(detail) == expected
