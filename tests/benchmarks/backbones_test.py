"""The table of backbones."""

from tests.benchmarks import backbones


def test_table_has_means_and_spreads():
  runs = [
    {'real': {'box_ap': 10.0, 'box_ap50': 20.0}},
    {'real': {'box_ap': 13.0, 'box_ap50': 22.0}},
  ]
  assert backbones.markdown({'A, frozen': runs}).splitlines() == [
    '| backbone | trainings | real: AP, AP50 |',
    '| --- | --- | --- |',
    '| A, frozen | 2 | 11.5 (3.0), 21.0 (2.0) |',
  ]
