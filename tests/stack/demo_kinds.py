"""The hand-written parts of the demo's products: twenty kinds, each with sentences to combine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Feature:
    """One property: a word for the name, a sentence, a tag."""

    word: str
    sentence: str
    tag: str


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of product."""

    noun: str
    category: str
    price: int
    """About what it costs; variants differ."""
    openings: tuple[str, str]
    features: tuple[Feature, Feature, Feature, Feature]
    closing: str
    attribute: tuple[str, tuple[str, ...]]
    """Name and values of one more attribute."""


KINDS: Final = (
    Kind(
        "Rain Jacket",
        "outdoor clothing",
        140,
        (
            "A light waterproof jacket for days when the forecast says showers and means it.",
            "Keeps the rain out on long hikes and folds down to the size of an apple.",
        ),
        (
            Feature(
                "Breathable", "Zips under the arms let warm air out on steep climbs.", "vented"
            ),
            Feature(
                "Packable", "It stuffs into its own chest pocket and weighs 290 grams.", "light"
            ),
            Feature(
                "Storm", "A stiff hood and taped seams hold off wind and driving rain.", "storm"
            ),
            Feature(
                "City", "The quiet fabric and straight cut look right on a commute.", "commute"
            ),
        ),
        "Wear it over a fleece or simply over a shirt.",
        ("color", ("moss", "navy", "amber")),
    ),
    Kind(
        "Tent",
        "camping",
        320,
        (
            "A free-standing tent that two people can pitch in the dark in five minutes.",
            "Shelter for a weekend in the mountains, with room for two sleeping mats.",
        ),
        (
            Feature(
                "Alpine", "Four seasons of poles and flaps stand up to snow and gusts.", "winter"
            ),
            Feature("Ultralight", "At 1.4 kilograms it vanishes in a backpack.", "light"),
            Feature("Family", "A second room sleeps two children or keeps the gear dry.", "family"),
            Feature(
                "Summer", "Mesh walls keep the mosquitoes out and the night breeze in.", "mesh"
            ),
        ),
        "Pegs, cords and a repair sleeve are in the bag.",
        ("persons", ("2", "3", "4")),
    ),
    Kind(
        "Sleeping Bag",
        "camping",
        180,
        (
            "A mummy-shaped bag that stays warm when the night falls below freezing.",
            "Sleep soundly outdoors, from the first spring trip to late autumn.",
        ),
        (
            Feature(
                "Down",
                "Responsibly sourced goose down gives much warmth for little weight.",
                "down",
            ),
            Feature("Synthetic", "The filling keeps warm even when it gets wet.", "synthetic"),
            Feature("Roomy", "Side sleepers get extra space at the knees and shoulders.", "wide"),
            Feature("Compact", "It presses down to the size of a loaf of bread.", "light"),
        ),
        "A cotton sack for storage at home comes with it.",
        ("comfort", ("-10 °C", "-5 °C", "5 °C")),
    ),
    Kind(
        "Hiking Boots",
        "footwear",
        190,
        (
            "Sturdy ankle boots for rocky paths, roots and a heavy backpack.",
            "Boots that are comfortable on the first day and still tight after a hundred.",
        ),
        (
            Feature(
                "Leather", "Waxed nubuck moulds itself to the foot and can be resoled.", "leather"
            ),
            Feature(
                "Waterproof",
                "A sealed membrane keeps feet dry through streams and wet grass.",
                "waterproof",
            ),
            Feature("Trail", "A flexible sole rolls off quickly on forest tracks.", "fast"),
            Feature("Grip", "Deep lugs bite into mud and hold on slippery stone.", "grip"),
        ),
        "Choose half a size larger if you wear thick socks.",
        ("sizes", ("36-42", "39-47")),
    ),
    Kind(
        "Headphones",
        "audio",
        210,
        (
            "Closed headphones that disappear on the head and leave only the music.",
            "Balanced sound from deep bass to bright cymbals, for hours without pressure.",
        ),
        (
            Feature(
                "Quiet",
                "Active noise cancelling silences aeroplane engines and open offices.",
                "noise-cancelling",
            ),
            Feature(
                "Studio", "A flat response and a coiled cable make them a mixing tool.", "studio"
            ),
            Feature("Sport", "Sweat-proof cushions stay in place on every run.", "sport"),
            Feature(
                "Wireless",
                "Forty hours of Bluetooth on one charge, with two devices at once.",
                "bluetooth",
            ),
        ),
        "Ear pads and battery can be replaced at home.",
        ("color", ("black", "sand", "blue")),
    ),
    Kind(
        "Bluetooth Speaker",
        "audio",
        95,
        (
            "A small speaker that fills a kitchen or a picnic blanket with sound.",
            "Put it down, press one button, and the party has music.",
        ),
        (
            Feature("Pool", "It floats, and rain or sand cannot harm it.", "waterproof"),
            Feature("Bass", "Two passive drivers give a punch that surprises everybody.", "bass"),
            Feature("Wooden", "A shell of oiled walnut looks at home on the bookshelf.", "wood"),
            Feature("Pocket", "It clips to a bag strap and weighs less than an orange.", "light"),
        ),
        "Two of them pair up for stereo.",
        ("hours", ("12", "18", "24")),
    ),
    Kind(
        "Espresso Machine",
        "kitchen",
        480,
        (
            "Café-style espresso at home, with a thick crema from the first cup.",
            "A compact machine that turns freshly ground beans into proper coffee.",
        ),
        (
            Feature("Lever", "A hand-pulled lever puts the pressure under your control.", "manual"),
            Feature(
                "Automatic",
                "One touch grinds, brews and rinses while you find your shoes.",
                "automatic",
            ),
            Feature(
                "Milk",
                "The steam wand makes silky foam for flat whites and cappuccino.",
                "milk-foam",
            ),
            Feature("Quiet", "A damped pump lets the rest of the house sleep on.", "quiet"),
        ),
        "Descaling is a matter of one tablet and ten minutes.",
        ("bar", ("9", "15")),
    ),
    Kind(
        "Kettle",
        "kitchen",
        65,
        (
            "Boils a litre of water for tea faster than you can choose the leaves.",
            "An electric kettle with a gooseneck spout for slow and careful pouring.",
        ),
        (
            Feature(
                "Precise",
                "Set the temperature by the degree for green tea or pour-over.",
                "temperature",
            ),
            Feature(
                "Glass", "A lit glass body shows the bubbles and every speck of lime.", "glass"
            ),
            Feature(
                "Insulated",
                "Double walls keep the water hot for an hour and stay cool outside.",
                "insulated",
            ),
            Feature("Travel", "Collapsible silicone walls fit into hand luggage.", "travel"),
        ),
        "It turns itself off when it is lifted or empty.",
        ("litres", ("0.8", "1.0", "1.7")),
    ),
    Kind(
        "Chef's Knife",
        "kitchen",
        110,
        (
            "An all-round blade that slices tomatoes, herbs and pumpkins with equal ease.",
            "The one kitchen knife you will reach for every day.",
        ),
        (
            Feature(
                "Damascus",
                "Sixty-seven layers of folded steel keep a fine edge for months.",
                "steel",
            ),
            Feature(
                "Carbon",
                "Carbon steel takes a razor edge and tells its age with a patina.",
                "carbon",
            ),
            Feature(
                "Balanced", "The weight sits where thumb and finger hold the blade.", "balanced"
            ),
            Feature("Olive", "The handle is turned from a single piece of olive wood.", "wood"),
        ),
        "Wash it by hand and dry it at once.",
        ("blade", ("18 cm", "20 cm", "24 cm")),
    ),
    Kind(
        "Cast Iron Pan",
        "kitchen",
        75,
        (
            "A heavy skillet that sears steaks and bakes cornbread.",
            "Iron cookware for the stove, the oven and the campfire.",
        ),
        (
            Feature(
                "Seasoned",
                "It is baked with linseed oil, so eggs slide off from the start.",
                "seasoned",
            ),
            Feature("Enamelled", "A glass-hard enamel shrugs off tomatoes and wine.", "enamel"),
            Feature("Deep", "High walls hold a stew for six or a whole chicken.", "deep"),
            Feature(
                "Smooth", "The cooking face is milled flat, as pans were a century ago.", "smooth"
            ),
        ),
        "With a little care your grandchildren will cook in it.",
        ("diameter", ("24 cm", "28 cm")),
    ),
    Kind(
        "Desk Lamp",
        "lighting",
        85,
        (
            "A jointed lamp that puts light exactly where you read or solder.",
            "Glare-free light for long evenings at the desk.",
        ),
        (
            Feature(
                "Dimmable", "A turn of the ring goes from bright white to candle glow.", "dimmable"
            ),
            Feature(
                "Clamp", "It screws to the edge of a table and leaves the surface free.", "clamp"
            ),
            Feature(
                "Charging", "Lay a phone on the foot and it charges without a cable.", "charging"
            ),
            Feature(
                "Brass", "Brushed brass and a fabric cord bring back the drawing office.", "brass"
            ),
        ),
        "The LED is rated for thirty years of evenings.",
        ("lumen", ("450", "800")),
    ),
    Kind(
        "Office Chair",
        "furniture",
        390,
        (
            "A chair that follows every movement of the back through the working day.",
            "Sit upright, lean back, think: the mechanism adapts to your weight.",
        ),
        (
            Feature("Mesh", "The woven back stays cool on hot afternoons.", "mesh"),
            Feature("Lumbar", "An adjustable support relieves a tired lower back.", "ergonomic"),
            Feature("Felt", "Thick wool felt in calm colors softens any meeting room.", "wool"),
            Feature("Tall", "A longer gas spring and headrest suit people over 190 cm.", "tall"),
        ),
        "Castors for wooden floors and carpet are in the box.",
        ("color", ("graphite", "olive", "rust")),
    ),
    Kind(
        "Standing Desk",
        "furniture",
        520,
        (
            "A desk that rises from sitting to standing height in twelve seconds.",
            "Change your posture during the day without losing your train of thought.",
        ),
        (
            Feature(
                "Bamboo", "The top is pressed bamboo, warm to the touch and hard as oak.", "bamboo"
            ),
            Feature("Corner", "An L-shape gives room for two screens and a sketchbook.", "corner"),
            Feature(
                "Memory", "Four buttons remember the heights of everybody who uses it.", "memory"
            ),
            Feature("Crank", "A hand crank lifts it without a motor or a socket.", "manual"),
        ),
        "A tray below hides the cables.",
        ("width", ("120 cm", "140 cm", "160 cm")),
    ),
    Kind(
        "City Bicycle",
        "cycling",
        780,
        (
            "An upright bicycle for shopping, commuting and Sunday rides along the river.",
            "Everything for town is built in: mudguards, lights, lock and carrier.",
        ),
        (
            Feature("Electric", "A silent hub motor flattens hills and headwinds.", "e-bike"),
            Feature(
                "Folding", "It folds in ten seconds and rides the train as luggage.", "folding"
            ),
            Feature(
                "Cargo", "A long front box carries two children or a week of groceries.", "cargo"
            ),
            Feature("Belt", "A toothed belt replaces the greasy chain and needs no oil.", "belt"),
        ),
        "The first service is free.",
        ("gears", ("3", "7", "8")),
    ),
    Kind(
        "Bike Helmet",
        "cycling",
        70,
        (
            "A well-aired helmet that you forget a minute after you put it on.",
            "Protects the head on the way to work and on the way to the summit.",
        ),
        (
            Feature(
                "Visible",
                "A rear light and reflective straps show you in traffic at night.",
                "light",
            ),
            Feature("Kids", "A soft wheel fits growing heads, and the stickers glow.", "children"),
            Feature("Aero", "Its closed shape saves watts on fast road rides.", "road"),
            Feature(
                "Mountain",
                "Deep sides and a visor cover more for rough downhill trails.",
                "mountain-bike",
            ),
        ),
        "After a crash we replace it for half the price.",
        ("sizes", ("S/M", "L/XL")),
    ),
    Kind(
        "Yoga Mat",
        "fitness",
        55,
        (
            "A mat that grips the floor and your palms through the sweatiest flow.",
            "Soft enough for the knees and firm enough for balance.",
        ),
        (
            Feature("Cork", "Natural cork gets less slippery the wetter it is.", "cork"),
            Feature("Thick", "Ten millimetres of foam are kind to sore joints.", "thick"),
            Feature("Travel", "It folds like a towel and fits in a daypack.", "travel"),
            Feature("Rubber", "Tree rubber from small farms makes it heavy and stable.", "rubber"),
        ),
        "Roll it up with the cotton strap that comes along.",
        ("length", ("173 cm", "183 cm", "200 cm")),
    ),
    Kind(
        "Dumbbell Set",
        "fitness",
        160,
        (
            "Weights for a complete strength workout in the corner of a bedroom.",
            "From the first curl to heavy presses with one pair of handles.",
        ),
        (
            Feature(
                "Adjustable", "Turn a dial and the plates you need stay on the bar.", "adjustable"
            ),
            Feature("Hex", "Six-sided rubber heads do not roll away or mark the floor.", "rubber"),
            Feature(
                "Starter",
                "Light pairs in bright colors suit rehabilitation and beginners.",
                "beginner",
            ),
            Feature("Chrome", "Knurled chrome handles sit firmly in the hand.", "chrome"),
        ),
        "A poster with thirty exercises is included.",
        ("kilograms", ("2-10", "5-25")),
    ),
    Kind(
        "Board Game",
        "toys",
        38,
        (
            "An evening of clever trades and friendly betrayal for the whole table.",
            "Easy to explain, hard to master, and different every time.",
        ),
        (
            Feature(
                "Cooperative", "Everybody plays together against the rising sea.", "cooperative"
            ),
            Feature("Quick", "One round takes twenty minutes, so losers want revenge.", "quick"),
            Feature(
                "Strategy", "Long plans over three centuries reward the patient player.", "strategy"
            ),
            Feature(
                "Junior", "Pictures instead of text let children from five join in.", "children"
            ),
        ),
        "All pieces are wood and printed card, without plastic.",
        ("players", ("2-4", "2-6", "3-8")),
    ),
    Kind(
        "Wooden Train Set",
        "toys",
        48,
        (
            "Beech tracks, bridges and a little engine for endless afternoons on the carpet.",
            "A first railway that small hands can build by themselves.",
        ),
        (
            Feature("Harbour", "A crane with a magnet loads barrels on a ship.", "crane"),
            Feature(
                "Mountain", "Tunnels and a cable car climb over the sofa cushions.", "mountain"
            ),
            Feature("Farm", "Cows, a barn and a milk wagon bring the countryside home.", "animals"),
            Feature("Starter", "Twenty-four pieces make the first figure of eight.", "beginner"),
        ),
        "The tracks fit all common wooden railways.",
        ("pieces", ("24", "48", "72")),
    ),
    Kind(
        "Watering Can",
        "garden",
        32,
        (
            "A well-balanced can that waters seedlings without drowning them.",
            "For window boxes and vegetable beds, with a long reach.",
        ),
        (
            Feature("Copper", "Hammered copper ages beautifully on the terrace.", "copper"),
            Feature("Indoor", "A thin spout finds the soil under dense house plants.", "indoor"),
            Feature("Large", "Twelve litres save the second walk to the tap.", "large"),
            Feature("Recycled", "It is blown from old fishing nets and bottle caps.", "recycled"),
        ),
        "The brass rose comes off for cleaning.",
        ("litres", ("1", "5", "12")),
    ),
)
