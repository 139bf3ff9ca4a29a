import base64
import io
import xml.etree.ElementTree

import numpy as np
import pytest
from PIL import Image

from mask2cad_tf.evaluation import report_examples
from mask2cad_tf.evaluation import report_figures


def _curves(count):
  return {f'class {i}': np.linspace(1.0, 0.0, 101) for i in range(count)}


def _cloud():
  points = np.random.default_rng(0).random([6, 2])
  picture = np.full([8, 12, 3], 200, np.uint8)
  return report_figures.Cloud('six', points, {0: picture}, '#4477AA', 's')


_DRAWINGS = {
  'bars': lambda: report_figures.bars(
    {'$a_ <b> (n=1)': {'x': 10.0, 'y': None}, 'c': {'x': 0.0, 'y': 100.0}},
    'percent',
  ),
  'one series': lambda: report_figures.bars({'a': {'x': 1.0}}, 'percent'),
  'curves of many classes': lambda: report_figures.precision_recall(
    _curves(30)
  ),
  'histogram': lambda: report_figures.histogram(np.array([0.0, 180.0])),
  'calibration': lambda: report_figures.calibration(
    [report_examples.Bin(0.5, 1.0, 3)]
  ),
}


@pytest.mark.parametrize('name', list(_DRAWINGS))
def test_a_chart_is_an_svg_and_the_same_every_time(name):
  url = _DRAWINGS[name]()
  head, content = url.split(',')
  assert head == 'data:image/svg+xml;base64'
  root = xml.etree.ElementTree.fromstring(base64.b64decode(content))
  assert root.tag == '{http://www.w3.org/2000/svg}svg'
  assert len(content) < 250_000
  assert _DRAWINGS[name]() == url


def test_a_map_is_a_picture_of_pixels():
  head, content = report_figures.embedding_map([_cloud(), _cloud()]).split(',')
  assert head == 'data:image/png;base64'
  with Image.open(io.BytesIO(base64.b64decode(content))) as picture:
    assert picture.width > 600


def test_mean_of_two_curves():
  curves = {'a': np.array([1.0, 0.5, 0.0]), 'b': np.array([0.5, 0.5, 0.5])}
  assert report_figures.mean_curve(curves).tolist() == [0.75, 0.5, 0.25]
