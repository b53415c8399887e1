"""Names for runs that came without one."""

import random

_ADJECTIVES, _NOUNS = (
    words.split()
    for words in (
        "able amber ample bold brave bright brisk calm candid careful clear clever coral crisp curious deft eager "
        "early fair fleet fond frank free fresh gentle glad golden grand green happy hardy humble ivory jolly keen "
        "kind late light likely lively loyal lucky lunar merry mild mossy neat nimble noble olive patient plain "
        "polite proud quick quiet rapid ready round rustic sandy serene sharp shy silent silver simple sincere "
        "sleek smart snug solar sound spry steady still sturdy sunny swift tall tidy tender true upbeat vivid warm "
        "wild windy wise witty worthy young zesty ",
        "acorn alder apple ash aspen bamboo basil bay beech berry birch bloom bough bramble branch briar bud cedar "
        "cherry chestnut clover cone copse cypress daisy dogwood elder elm fern fig fir flax forest gorse grove "
        "hazel heath heather hedge hemlock holly ivy juniper larch laurel leaf lilac lime linden lotus maple "
        "meadow mint moss myrtle needle nettle nut oak olive orchard palm pear petal pine plum pollen poplar "
        "quince reed root rose rowan rush sage sap sedge seed shoot shrub sorrel spruce stem sycamore thicket "
        "thorn thyme timber trunk twig vine walnut willow yew ",
    )
)


def random_run_name() -> str:
    """An adjective, a noun and a number, such as `quiet-maple-412`. Not unique: a run's id is."""
    return f"{random.choice(_ADJECTIVES)}-{random.choice(_NOUNS)}-{random.randint(1, 999)}"
