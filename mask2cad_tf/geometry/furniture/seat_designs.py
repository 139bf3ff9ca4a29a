"""Chairs and sofas: which options make which shapes."""

from mask2cad_tf.geometry.furniture import armchairs
from mask2cad_tf.geometry.furniture import chairs
from mask2cad_tf.geometry.furniture import corner_sofas
from mask2cad_tf.geometry.furniture import design
from mask2cad_tf.geometry.furniture import lounges
from mask2cad_tf.geometry.furniture import office_chairs
from mask2cad_tf.geometry.furniture import shell_chairs
from mask2cad_tf.geometry.furniture import sofas

CHAIRS: design.Designs = [
  *design.rows(
    chairs.dining_chair,
    'dining_{back}_{legs}_{arms}',
    'back legs arms',
    """
      ladder square none
      ladder square flat
      ladder baluster none
      ladder sled none
      slats tapered none
      slats tapered flat
      slats cabriole none
      slats stretcher none
      spindles splayed none
      spindles splayed flat
      spindles bobbin none
      spindles hairpin none
      hoop splayed none
      hoop splayed flat
      hoop baluster none
      bentwood cone none
      bentwood cone scroll
      bentwood splayed none
      bentwood tripod none
      splat cabriole none
      splat cabriole scroll
      splat stretcher none
      splat baluster none
      cross square none
      cross square flat
      cross hairpin none
      cross cone none
      panel splayed none
      panel splayed flat
      panel sled none
      panel square none
      upholstered tapered none
      upholstered tapered flat
      upholstered sled none
      upholstered frame none
      padded stretcher none
      padded stretcher flat
      padded cross none
      padded baluster none
      medallion cabriole none
      medallion cabriole scroll
      medallion tapered none
      channel cone none
      channel cone scroll
      channel frame none
      """,
  ),
  *design.rows(
    chairs.cantilever_chair,
    'cantilever_{back}_{arms}',
    'back arms',
    """
      split no
      full yes
      split yes
      """,
  ),
  *design.rows(
    shell_chairs.shell_chair,
    'shell_{legs}_{arms}',
    'legs arms',
    """
      splayed no
      wire no
      star yes
      tulip yes
      sled no
      splayed yes
      """,
  ),
  *design.rows(
    office_chairs.office_chair,
    'office_{back}_{arms}',
    'back arms',
    """
      low none
      mid tee
      high tee
      mesh loop
      mesh none
      executive loop
      bars none
      mid loop
      """,
  ),
  *design.rows(
    armchairs.armchair,
    'armchair_{style}_{legs}',
    'style legs',
    """
      club bun
      wing cabriole
      barrel cone
      lounge tapered
      """,
  ),
  *design.rows(
    chairs.rocking_chair,
    'rocking_{back}',
    'back',
    """
      spindles
      ladder
      """,
  ),
  *design.rows(
    chairs.folding_chair,
    'folding_{slatted}',
    'slatted',
    """
      yes
      no
      """,
  ),
  *design.rows(
    chairs.stool,
    'stool_{seat}_{legs}',
    'seat legs height',
    """
      round tripod 0.46
      pad star 0.5
      saddle square 0.64
      pad column 0.76
      round splayed 0.72
      square hairpin 0.46
      pad cabriole 0.47
      """,
  ),
  *design.rows(
    chairs.bar_chair,
    'bar_{back}_{legs}',
    'back legs',
    """
      slats square
      upholstered frame
      panel tapered
      """,
  ),
]

SOFAS: design.Designs = [
  *design.rows(
    sofas.sofa,
    'straight{seats}_{arms}_{back}_{legs}',
    'seats arms back legs',
    """
      2 square loose cone
      3 square tight sled
      3 square scatter square
      2 rolled loose bun
      3 rolled camel cabriole
      3 rolled tufted bun
      1 rolled tight skirt
      3 slim loose tapered
      2 slim tight hairpin
      1 slim tufted sled
      2 pillow loose square
      3 pillow low plinth
      1 pillow loose cone
      3 slope loose tapered
      2 slope camel cone
      2 flared tight cone
      3 flared scatter skirt
      1 flared loose tapered
      2 none loose square
      3 none tufted hairpin
      2 none camel cabriole
      4 square low plinth
      1 square loose square
      4 slim loose frame
      2 square tufted cone
      1 none low sled
      """,
  ),
  *design.rows(
    corner_sofas.corner_sofa,
    'corner{seats}_{arms}_{side}_{chaise}',
    'arms side seats chaise',
    """
      square left 2 yes
      square right 2 no
      slim right 2 yes
      slim left 2 no
      rolled left 1 yes
      rolled right 2 yes
      pillow right 1 yes
      flared left 2 yes
      """,
  ),
  *design.rows(
    lounges.curved_sofa,
    'curved{bend}_{channels}',
    'bend channels',
    """
      65 no
      80 yes
      110 no
      """,
  ),
  *design.rows(
    lounges.frame_sofa,
    'frame{seats}_{sides}',
    'seats sides',
    """
      2 open
      3 slatted
      2 panel
      2 tube
      1 slatted
      """,
  ),
  *design.rows(
    lounges.chaise,
    'chaise_{style}',
    'style',
    """
      recamier
      wave
      daybed
      """,
  ),
  *design.rows(
    lounges.bench,
    'bench_{legs}_{tufted}',
    'legs tufted',
    """
      tapered yes
      hairpin no
      cabriole no
      """,
  ),
]
