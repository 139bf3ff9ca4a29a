"""Which known name was meant."""

import pytest

from mask2cad_tf import close_names

_CLASSES = ('bed', 'bookcase', 'chair', 'sofa', 'wardrobe')


@pytest.mark.parametrize(
  'name, meant',
  [
    ('chiar', 'chair'),
    ('sofas', 'sofa'),
    ('BOOKCASE', 'bookcase'),
    ('bookcase ', 'bookcase'),
  ],
)
def test_slips(name, meant):
  assert close_names.hint(name, _CLASSES) == f' Did you mean {meant!r}?'


def test_the_known_name_is_told_as_it_is_written():
  known = ('bed/IKEA_MALM_2', 'bed/IKEA_HEMNES_1')
  assert close_names.hint('bed/ikea_malm_2', known) == (
    " Did you mean 'bed/IKEA_MALM_2'?"
  )


@pytest.mark.parametrize('name, known', [('lamp', _CLASSES), ('chair', ())])
def test_nothing_is_close(name, known):
  assert not close_names.hint(name, known)
