"""Household objects ('misc') and tools: which options make which shapes."""

from mask2cad_tf.geometry.furniture import design
from mask2cad_tf.geometry.furniture import hammers
from mask2cad_tf.geometry.furniture import lamps
from mask2cad_tf.geometry.furniture import ornaments
from mask2cad_tf.geometry.furniture import plants
from mask2cad_tf.geometry.furniture import tools
from mask2cad_tf.geometry.furniture import vessels
from mask2cad_tf.geometry.furniture import wrenches

MISC: design.Designs = [
  *design.named(
    vessels.vessel,
    """
      mug kind=mug radius=0.042 height=0.095 handles=1
      teacup kind=cup radius=0.045 height=0.06 handles=1 saucer=yes
      bowl kind=bowl radius=0.12 height=0.1
      goblet kind=goblet radius=0.045 height=0.19
      vase_bottle kind=bottle_vase radius=0.09 height=0.3
      vase_amphora kind=amphora radius=0.12 height=0.36 handles=2
      vase_tulip kind=tulip_vase radius=0.1 height=0.28
      vase_cylinder kind=cylinder_vase radius=0.07 height=0.32
      urn kind=urn radius=0.16 height=0.4 handles=2
      bin kind=bin radius=0.14 height=0.34
      jug kind=bottle_vase radius=0.1 height=0.26 handles=1
      """,
  ),
  *design.named(vessels.teapot, 'teapot'),
  *design.rows(
    lamps.lamp,
    'lamp_{base}_{shade}',
    'base shade height',
    """
      gourd cone 0.55
      gourd drum 0.5
      stick globe 0.45
      column bell 0.6
      stick drum 1.6
      tripod drum 1.5
      arc dome 1.9
      column cone 1.6
      """,
  ),
  *design.rows(
    plants.plant,
    'plant_{leaves}',
    'pot leaves',
    """
      planter blades
      urn broad
      planter cactus
      cylinder_vase ball
      planter palm
      """,
  ),
  *design.rows(
    ornaments.guitar,
    'guitar_{electric}',
    'electric',
    """
      no
      yes
      """,
  ),
  *design.named(ornaments.clock, 'clock'),
  *design.named(ornaments.globe, 'globe'),
  *design.rows(
    ornaments.coat_stand,
    'coat_stand',
    'hooks',
    """
      6
      """,
  ),
  *design.rows(
    vessels.basket,
    'basket_{handle}',
    'handle',
    """
      no
      yes
      """,
  ),
  *design.rows(
    vessels.candlestick,
    'candlestick{arms}',
    'arms',
    """
      1
      5
      """,
  ),
]

TOOLS: design.Designs = [
  *design.rows(
    hammers.hammer,
    'hammer_{head}',
    'head',
    """
      claw
      ball
      sledge
      mallet
      pick
      """,
  ),
  *design.named(
    hammers.axe,
    """
      axe double=no long=0.75
      hatchet double=no long=0.36
      axe_double double=yes long=0.8
      """,
  ),
  *design.rows(
    wrenches.wrench,
    'wrench_{head}',
    'head',
    """
      open
      ring
      combination
      adjustable
      pipe
      """,
  ),
  *design.rows(
    tools.screwdriver,
    'screwdriver_{tip}',
    'tip',
    """
      flat
      cross
      stubby
      awl
      """,
  ),
  *design.rows(
    tools.saw,
    'saw_{style}',
    'style',
    """
      hand
      back
      hack
      bow
      """,
  ),
  *design.rows(
    wrenches.pliers,
    'pliers_{jaw}',
    'jaw',
    """
      long
      flat
      round
      """,
  ),
  *design.rows(
    tools.garden,
    '{head}',
    'head',
    """
      shovel
      spade
      rake
      fork
      hoe
      broom
      """,
  ),
  *design.rows(
    tools.trowel,
    'trowel_{blade}',
    'blade',
    """
      pointed
      square
      scraper
      """,
  ),
  *design.rows(
    tools.brush,
    'brush_{roller}',
    'roller',
    """
      no
      yes
      """,
  ),
]
