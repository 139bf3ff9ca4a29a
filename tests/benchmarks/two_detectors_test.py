"""The table of two detectors."""

from tests.benchmarks import two_detectors


def test_table_has_a_row_a_detector():
  results = {
    'first': {'real': {'box_ap': 10.0, 'box_ap50': 20.0}},
    'both, pooled': {'real': {'box_ap': 12.34, 'box_ap50': 25.0}},
  }
  assert two_detectors.markdown(results).splitlines() == [
    '| detector | real: AP, AP50 |',
    '| --- | --- |',
    '| first | 10.0, 20.0 |',
    '| both, pooled | 12.3, 25.0 |',
  ]
