"""`python -m mask2cad_tf.doctor`."""

import json

import pytest

from mask2cad_tf import doctor
from tests import command_runner


def test_this_installation_is_sound():
  result = command_runner.run(doctor)
  assert result.status == 0, result
  assert 'ok  tensorflow: 2.15' in result.stdout
  assert 'ok  devices: CPU:0' in result.stdout
  assert result.stdout.endswith('All is sound.\n')


def test_versions_out_of_range_and_missing_packages(monkeypatch):
  needed = ['numpy<1', 'no-such-package>=2', 'absl-py', 'gone; extra == "dev"']
  monkeypatch.setattr(doctor.metadata, 'requires', lambda _: needed)
  monkeypatch.setattr(doctor, '_ray_casting', lambda: 1 // 0)
  result = command_runner.run(doctor, '--json')
  assert result.status == 1
  found = json.loads(result.stdout)
  assert [name for name, value in found.items() if not value['ok']] == [
    'numpy',
    'no-such-package',
    'ray casting',
  ]
  assert 'expected <1' in found['numpy']['seen']
  assert 'pip install "no-such-package>=2"' in found['no-such-package']['seen']
  assert 'ZeroDivisionError' in found['ray casting']['seen']
  assert 'gone' not in found


def test_words_are_refused():
  line = command_runner.run(doctor, 'please').only_line
  assert line.startswith('mask2cad_tf.doctor: ')


@pytest.mark.parametrize('version, ok', [((3, 8), False), ((3, 9), True)])
def test_pythons(monkeypatch, version, ok):
  monkeypatch.setattr(doctor.metadata, 'requires', lambda _: [])
  for name in ('_devices', '_ray_casting', '_model'):
    monkeypatch.setattr(doctor, name, lambda: '')
  monkeypatch.setattr(doctor.sys, 'version_info', (*version, 1))
  assert doctor.examine()[0].ok is ok
