"""Names for runs that came without one. The adjectives are some of those that MLflow takes, which tools look for."""

import random

_ADJECTIVES, _NOUNS = (
    words.split()
    for words in (
        "able adaptable agreeable ambitious awesome bold bright calm capable caring charming clean colorful dapper "
        "dashing delightful efficient enchanting fearless fortunate gentle gifted honorable inquisitive intelligent "
        "kindly learned legendary likeable luminous marvelous melodic merciful nimble orderly peaceful persistent "
        "placid polite popular powerful rare resilient respected sincere silent skillful smiling stately stylish "
        "tasteful thoughtful traveling treasured trusting unique upbeat useful valuable victorious welcoming "
        "whimsical wise youthful zealous",
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
