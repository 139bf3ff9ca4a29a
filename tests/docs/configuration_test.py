"""docs/configuration.md is what the dataclasses say."""

import dataclasses

import pytest

from mask2cad_tf.configs import mask2cad
from tests.docs import configuration_page

_CONFIGS = tuple(configuration_page.own_configs())


def test_the_page_is_up_to_date():
  stored = configuration_page.PATH.read_text(encoding='utf-8')
  assert stored == configuration_page.render(), 'run: make docs'


def test_every_dataclass_is_on_the_page():
  ours = {
    value
    for value in vars(mask2cad).values()
    if dataclasses.is_dataclass(value) and value.__module__ == mask2cad.__name__
  }
  assert set(_CONFIGS) == ours


@pytest.mark.parametrize('config', _CONFIGS, ids=lambda x: x.__name__)
def test_every_field_of_ours_has_a_meaning(config):
  meanings = configuration_page.meanings(config)
  assert set(config.__annotations__) <= set(meanings)
  assert set(meanings) <= {x.name for x in dataclasses.fields(config)}
  assert all(meanings.values())


def test_meanings_go_on_over_lines():
  class Config:
    """A thing.

    Attributes:
      first: one
        and a half.
      second: two.
    """

  assert configuration_page.meanings(Config) == {
    'first': 'one and a half.',
    'second': 'two.',
  }
