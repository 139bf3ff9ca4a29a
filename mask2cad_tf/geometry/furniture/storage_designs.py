"""Beds, bookcases and wardrobes: which options make which shapes."""

from mask2cad_tf.geometry.furniture import beds
from mask2cad_tf.geometry.furniture import bookcases
from mask2cad_tf.geometry.furniture import bunks
from mask2cad_tf.geometry.furniture import chests
from mask2cad_tf.geometry.furniture import design
from mask2cad_tf.geometry.furniture import shelves
from mask2cad_tf.geometry.furniture import wardrobes

BEDS: design.Designs = [
  *design.rows(
    beds.bed,
    '{size}_{head}_{foot}_{base}',
    'size head foot base bedding',
    """
      double panel panel rails duvet
      king panel none drawers fold
      single panel none rails throw
      double slats slats rails fold
      single slats none tapered duvet
      king slats none platform plain
      double spindles spindles rails throw
      single spindles none cone fold
      double hoops hoops rails duvet
      single hoops none rails plain
      king arched arched bun fold
      single arched none square duvet
      double scalloped none box throw
      king padded none box duvet
      single padded padded cone plain
      double tufted none box fold
      king tufted panel bun throw
      double channels none cone duvet
      king channels none platform throw
      king winged none box fold
      double planks none platform duvet
      single planks planks drawers fold
      double sleigh sleigh rails fold
      king sleigh none rails plain
      double cubes none drawers duvet
      single cubes none rails plain
      double rattan rattan tapered throw
      king rattan none cone duvet
      double medallion none cabriole fold
      king medallion arched bun plain
      double none none platform duvet
      single none none box bare
      king none none hairpin throw
      """,
  ),
  *design.rows(
    beds.daybed,
    'daybed_{sides}',
    'sides back trundle',
    """
      panel yes yes
      slats yes no
      hoops yes no
      padded no no
      spindles no yes
      """,
  ),
  *design.rows(
    bunks.bunk,
    'bunk_{ladder}_{lower}',
    'ladder lower boards',
    """
      right bed slats
      left wide panel
      end bed panel
      left desk slats
      stairs bed slats
      right sofa panel
      right open slats
      """,
  ),
  *design.rows(
    beds.canopy,
    'canopy_{size}_{posts}',
    'size posts head',
    """
      king square panel
      double turned arched
      double metal hoops
      """,
  ),
  *design.rows(
    beds.cot,
    'cot_{bars}',
    'bars',
    """
      round
      flat
      """,
  ),
]

BOOKCASES: design.Designs = [
  *design.named(
    bookcases.bookcase,
    """
      case_plain5 shelves=5
      case_plain3_low shelves=3 aspect=1.3
      case_narrow6 shelves=6 aspect=0.6
      case_books5 shelves=5 books=yes
      case_open4 shelves=4 back=no feet=tapered
      case_open6_books shelves=6 back=no books=yes feet=square
      case_wide3x2 shelves=3 bays=2
      case_wide5x2_books shelves=5 bays=2 books=yes
      case_wall5x3 shelves=5 bays=3
      case_wall6x3_books shelves=6 bays=3 books=yes
      case_doors5 shelves=5 lower=flat
      case_doors6_shaker shelves=6 lower=shaker crown=cornice
      case_doors5x2_books shelves=5 bays=2 lower=double books=yes
      case_glass5 shelves=5 lower=glass feet=cabriole crown=arch
      case_drawers5 shelves=5 lower=drawers
      case_drawers6x2 shelves=6 bays=2 lower=drawers crown=cornice
      case_gable4 shelves=4 crown=gable feet=bun
      case_arch5_books shelves=5 crown=arch books=yes
      case_hairpin3 shelves=3 feet=hairpin aspect=1.4 books=yes
      case_louver4x2 shelves=4 bays=2 lower=louver feet=cone
      """,
  ),
  *design.rows(
    shelves.etagere,
    'etagere{tiers}_{posts}_{top}',
    'tiers posts top',
    """
      4 metal rect
      5 cross rect
      4 turned rect
      5 hoop rect
      3 metal oval
      5 turned oval
      """,
  ),
  *design.rows(
    shelves.ladder_shelf,
    'ladder{tiers}_{a_frame}',
    'tiers a_frame',
    """
      4 no
      5 yes
      3 yes
      """,
  ),
  *design.named(
    shelves.cubes,
    """
      cubes_grid2x2 pattern=##/## insert=none
      cubes_grid4x2 pattern=##/##/##/## insert=baskets
      cubes_grid3x4 pattern=####/####/#### insert=doors
      cubes_stairs pattern=#.../##../###./#### insert=none
      cubes_pyramid pattern=.#./###/### insert=none
      cubes_tower pattern=#.#/###/#.#/### insert=baskets
      cubes_row pattern=#### insert=doors
      """,
  ),
  *design.rows(
    shelves.zigzag,
    '{style}{tiers}',
    'tiers style',
    """
      5 tree
      5 snake
      4 wave
      4 steps
      3 snake
      """,
  ),
  *design.rows(
    bookcases.low_unit,
    'sideboard_{layout}_{feet}',
    'layout feet door',
    """
      dod tapered flat
      dwd splayed plank
      oo hairpin flat
      ddd plinth glass
      wow cone flat
      """,
  ),
]

WARDROBES: design.Designs = [
  *design.named(
    wardrobes.wardrobe,
    """
      hinged1_flat doors=1
      hinged1_mirror doors=1 mirror=yes feet=cabriole crown=arch
      hinged1_louver doors=1 style=louver drawers=1 feet=square
      hinged2_flat doors=2 feet=tapered
      hinged2_shaker doors=2 style=shaker
      hinged2_drawer doors=2 style=shaker drawers=1 crown=cornice handle=knob
      hinged2_double doors=2 style=double crown=cornice feet=bun handle=knob
      hinged2_double_drawers doors=2 style=double drawers=2 feet=bun handle=cup
      hinged2_louver doors=2 style=louver feet=frame crown=round
      hinged2_gabled doors=2 style=louver drawers=1 crown=gable handle=knob
      hinged2_plank doors=2 style=plank feet=square crown=cornice
      hinged2_plank_drawers doors=2 style=plank drawers=2 feet=hairpin
      hinged2_mirror doors=2 mirror=yes
      hinged2_mirror_round doors=2 mirror=yes crown=round drawers=1
      hinged2_arched doors=2 style=arched crown=arch feet=cabriole handle=knob
      hinged2_glass doors=2 style=glass drawers=2 crown=arch feet=cone
      hinged2_round doors=2 crown=round feet=cone handle=knob
      hinged2_gable doors=2 style=shaker crown=gable feet=bun drawers=1
      hinged3_flat doors=3
      hinged3_flat_drawers doors=3 drawers=2 feet=frame
      hinged3_mirror doors=3 mirror=yes style=shaker crown=cornice handle=knob
      hinged3_double doors=3 style=double drawers=1 crown=arch feet=bun
      hinged3_louver doors=3 style=louver feet=tapered
      hinged4_flat doors=4 handle=knob
      hinged4_mirror doors=4 mirror=yes style=flat
      hinged4_shaker doors=4 style=shaker drawers=2 crown=cornice
      """,
  ),
  *design.rows(
    wardrobes.sliding,
    'sliding{doors}_{style}',
    'doors style bands',
    """
      2 plain 1
      2 mirror 1
      3 plain 5
      3 mirror 3
      """,
  ),
  *design.rows(
    wardrobes.open_wardrobe,
    'open_{side}_{door}',
    'side door',
    """
      left no
      right no
      left yes
      """,
  ),
  *design.named(
    chests.chest,
    """
      chest4x1 rows=4 columns=1 feet=bun
      chest5x1 rows=5 columns=1 feet=tapered handle=cup
      chest6x1 rows=6 columns=1 feet=plinth
      chest3x2 rows=3 columns=2 feet=splayed
      chest4x2 rows=4 columns=2 feet=plinth handle=bar
      chest4x1_bow rows=4 columns=1 feet=cabriole bow=yes
      chest5x2_door rows=5 columns=2 feet=bun door=yes
      chest3x3 rows=3 columns=3 feet=hairpin handle=cup
      """,
  ),
  *design.rows(
    wardrobes.rack,
    'rack_{frame}',
    'shelves frame',
    """
      1 square
      2 a
      """,
  ),
]
