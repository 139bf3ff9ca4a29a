import numpy as np
import pytest

from mask2cad_tf.evaluation import ap_summary


def test_levels_are_cocos():
  assert pytest.approx(np.linspace(0.5, 0.95, 10)) == ap_summary.LEVELS


def test_means_over_present_classes():
  # Class a: 1 at the six levels up to .75, 0 above: 0.6. Class b: 0.
  table = np.array([[1.0] * 6 + [0.0] * 4, [0.0] * 10, [np.nan] * 10])
  summary = ap_summary.summarize(['a', 'b', 'c'], table)
  assert summary.ap == pytest.approx(0.3)
  assert summary.ap50 == 0.5
  assert summary.ap75 == 0.5
  assert summary.per_class['a'] == pytest.approx(0.6)
  assert np.isnan(summary.per_class['c'])
  assert (summary.per_class50['a'], summary.per_class50['b']) == (1.0, 0.0)
  assert np.isnan(summary.per_class50['c'])


def test_ap50_and_ap75_read_their_own_level():
  table = np.arange(10.0)[np.newaxis] / 10
  summary = ap_summary.summarize(['a'], table)
  assert (summary.ap50, summary.ap75) == (0.0, 0.5)


def test_nothing_measured_is_nan():
  summary = ap_summary.summarize(['a'], np.full([1, 10], np.nan))
  assert np.isnan([summary.ap, summary.ap50, summary.ap75]).all()
