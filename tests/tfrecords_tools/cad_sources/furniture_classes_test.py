"""Names to classes."""

import pytest

from tfrecords_tools.cad_sources import furniture_classes


@pytest.mark.parametrize(
  'name, label_name',
  [
    ('Bed 140x190', 'bed'),
    ('Bedside table', 'cabinet'),
    ('Crib', 'bed'),
    ('Wood bank', 'bench'),
    ('Piano bench', 'bench'),
    ('Workbench', 'desk'),
    ('Abdominal bench', None),
    ('Park trashcan', 'bin'),
    ('Filled bookcase', 'bookcase'),
    ('Filing cabinet', 'cabinet'),
    ('Upper shelves cabinet', 'cabinet'),
    ('Washbasin with cabinet', None),
    ('Winchester armchair', 'chair'),
    ('Wheelchair', None),
    ('Bar stool', 'chair'),
    ('Bar table', 'table'),
    ('Desk', 'desk'),
    ('Desk table', 'desk'),
    ('TV 16:9', 'display'),
    ('TV unit', 'cabinet'),
    ('TV remote control', None),
    ('Futon couch', 'sofa'),
    ('Futon', 'bed'),
    ('Sofa 2 seats', 'sofa'),
    ('Table tennis bat', None),
    ('Table with tablecloth', 'table'),
    ('Hammer', 'tool'),
    ('Knife stand', None),
    ('Coffee mug', 'tool'),
    ('Cupboard', 'wardrobe'),
    ('Tablet', None),
    ('Plant', None),
  ],
)
def test_by_words_of_the_name(name, label_name):
  assert furniture_classes.label_of(name, 'Office', 'toy#x') == label_name


@pytest.mark.parametrize('category', ['Lights', 'Vehicles', 'Characters'])
def test_categories_without_furniture(category):
  assert furniture_classes.label_of('Desk lamp', category, 'toy#x') is None


def test_an_id_overrules_the_name():
  model_id = 'Scopia#convertible-sofa-BZ-opened'
  name = 'Opened convertible sofa BZ'
  assert furniture_classes.label_of(name, 'Bedroom', model_id) == 'bed'
  assert furniture_classes.label_of(name, 'Bedroom', 'toy#x') == 'sofa'


@pytest.mark.parametrize(
  'name, category, size, elevation, expected',
  [
    ('Vase', 'Living room', (0.2, 0.3, 0.2), 0.0, True),
    ('Vase', 'Exterior', (0.2, 0.3, 0.2), 0.0, False),
    ('Vase', 'Living room', (0.2, 0.7, 0.2), 0.0, False),
    ('Ring', 'Bedroom', (0.02, 0.02, 0.01), 0.0, False),
    ('Bill', 'Miscellaneous', (0.13, 0.001, 0.07), 0.0, False),
    ('Wall light', 'Lights', (0.2, 0.3, 0.2), 1.4, False),
    ('Wall switch', 'Miscellaneous', (0.1, 0.1, 0.01), 0.0, False),
  ],
)
def test_clutter_lies_about(name, category, size, elevation, expected):
  assert (
    furniture_classes.is_clutter(name, category, size, elevation) is expected
  )


def test_every_rule_is_of_a_listed_class():
  found = {label for label, _ in furniture_classes._RULES} - {None}
  assert found == set(furniture_classes.LABEL_NAMES)
