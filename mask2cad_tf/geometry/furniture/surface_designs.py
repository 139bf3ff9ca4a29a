"""Tables and desks: which options make which shapes."""

from mask2cad_tf.geometry.furniture import bureaus
from mask2cad_tf.geometry.furniture import design
from mask2cad_tf.geometry.furniture import desks
from mask2cad_tf.geometry.furniture import tables

TABLES: design.Designs = [
  *design.rows(
    tables.table,
    '{use}_{top}_{base}_{extra}',
    'top base use extra',
    """
      rect square dining apron
      rect baluster dining apron
      rect trestle dining none
      plank trestle dining none
      plank cross dining none
      plank frame dining none
      rect vee dining none
      rect hairpin dining none
      oval cabriole dining none
      boat double dining none
      boat tapered dining apron
      oval double dining none
      oval tulip dining none
      oval splayed dining none
      round tulip dining none
      round claw dining none
      round column dining none
      round baluster dining apron
      round hourglass dining none
      square stretcher dining apron
      square claw dining none
      squircle splayed dining none
      squircle trestle dining none
      glass panels dining none
      glass_round drum dining none
      glass cross dining none
      octagon drum dining none
      rect bobbin console drawer
      rect square dining leaves
      rect square coffee shelf
      rect frame coffee tray
      squircle hairpin coffee none
      oval splayed coffee none
      round drum coffee none
      round tripod coffee none
      kidney cone coffee none
      glass_oval hourglass coffee none
      plank stretcher coffee drawer
      rect cabriole coffee apron
      round claw side none
      round hourglass side none
      square tapered side drawer
      octagon panels side shelf
      rect sled side none
      round cone side none
      rect tapered console drawer
      rect frame console shelf
      halfmoon baluster console none
      rect cross console none
      round column bar none
      rect frame bar none
      plank trestle bar none
      """,
  ),
  *design.rows(
    tables.waterfall,
    'waterfall_{shelf}',
    'shelf',
    """
      no
      yes
      """,
  ),
  *design.rows(
    tables.nest,
    'nest{count}_{legs}',
    'count legs',
    """
      2 square
      3 sled
      """,
  ),
  *design.named(tables.picnic, 'picnic'),
  *design.rows(
    tables.tiered,
    'tiered{tiers}_{top}',
    'top tiers',
    """
      round 2
      rect 3
      oval 3
      """,
  ),
]

DESKS: design.Designs = [
  *design.rows(
    desks.desk,
    '{left}_{right}_{hutch}',
    'left right hutch handle drawers modesty',
    """
      drawers drawers none bar 3 yes
      drawers drawers rails cup 4 no
      drawers drawers pigeonholes knob 3 yes
      drawers panel none bar 3 no
      panel drawers none knob 2 yes
      panel drawers tower bar 3 no
      drawers square none bar 3 yes
      tapered drawers none cup 2 no
      drawers frame shelf bar 4 yes
      frame drawers none bar 3 no
      door drawers none knob 3 yes
      drawers door shelf bar 4 no
      door door tower knob 3 yes
      panel panel none bar 3 no
      panel panel shelf bar 3 yes
      panel door none bar 3 no
      panel panel pigeonholes bar 3 yes
      sled drawers none bar 2 no
      """,
  ),
  *design.rows(
    desks.writing_desk,
    'writing{drawers}_{legs}_{hutch}',
    'legs drawers hutch handle',
    """
      tapered 2 none knob
      cabriole 3 rails knob
      baluster 2 pigeonholes knob
      hairpin 2 none knob
      cone 3 none knob
      vee 1 none knob
      frame 2 shelf knob
      stretcher 3 none knob
      cross 2 rails knob
      splayed 1 shelf knob
      bobbin 3 tower knob
      """,
  ),
  *design.rows(
    bureaus.secretary,
    'secretary_{legs}_{roll_top}',
    'roll_top legs',
    """
      no bun
      yes plinth
      no cabriole
      """,
  ),
  *design.rows(
    desks.corner_desk,
    'corner_{side}_{legs}',
    'side legs drawers',
    """
      left square no
      right frame yes
      left panels yes
      right hairpin no
      """,
  ),
  *design.rows(
    desks.standing_desk,
    'standing_{crossbar}_{shelf}',
    'crossbar shelf',
    """
      yes no
      no yes
      """,
  ),
  *design.rows(
    desks.ladder_desk,
    'ladder{shelves}',
    'shelves',
    """
      1
      3
      """,
  ),
]
