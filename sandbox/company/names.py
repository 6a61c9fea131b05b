"""Invented names of people and firms, by country; nothing here is anybody's data."""

import unicodedata
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Country:
    """Where a customer sits: ISO code, its currency, the team that sells there, its words.

    Names that are not in Latin letters carry a romanised form for the e-mail address:
    ``given`` and ``family`` are (shown, ascii) pairs.
    """

    code: str
    currency: str
    team: str
    language: str
    given: tuple[tuple[str, str], ...]
    family: tuple[tuple[str, str], ...]
    forms: tuple[str, ...]
    weight: int


_LETTERS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "ł": "l", "ø": "o"})


def _plain(words: str) -> tuple[tuple[str, str], ...]:
    """Names with their ASCII form: German letters spelt out, other accents dropped."""
    pairs = []
    for word in words.split():
        spelt = unicodedata.normalize("NFKD", word.lower().translate(_LETTERS))
        pairs.append((word, spelt.encode("ascii", "ignore").decode()))
    return tuple(pairs)


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


COUNTRIES = (
    Country(
        "DE",
        "EUR",
        "dach",
        "de",
        _plain("Anja Jürgen Käthe Lukas Sören Birgit Frauke Jörg Mareike Uwe Thea Ole"),
        _plain("Weiß Köhler Brandt Schäfer Möller Vogt Reuter Größmann Albers Kühn Bergmann Lenz"),
        ("GmbH", "AG", "GmbH & Co. KG", "SE"),
        30,
    ),
    Country(
        "AT",
        "EUR",
        "dach",
        "de",
        _plain("Franziska Matthäus Leopold Resi Xaver Ilse"),
        _plain("Gruber Hübner Pichler Egger Moser Zöchling"),
        ("GmbH", "AG"),
        5,
    ),
    Country(
        "FR",
        "EUR",
        "west",
        "fr",
        _plain("Hélène François Zoé Étienne Margaux Luc Inès Benoît"),
        _plain("Lefèvre Garçon Moreau Dubois Chevalier Rénier Fabre Meunier"),
        ("SARL", "SAS", "SA"),
        12,
    ),
    Country(
        "ES",
        "EUR",
        "west",
        "es",
        _plain("Íñigo Begoña Lucía Andrés Sofía Martín"),
        _plain("Muñoz Ibáñez Castro Peña Vidal Ortega"),
        ("S.L.", "S.A."),
        8,
    ),
    Country(
        "NL",
        "EUR",
        "west",
        "nl",
        _plain("Sanne Joost Maartje Pieter Daniël Femke"),
        _plain("Visser Bakker Dekker Smit Kuipers Verhoeven"),
        ("B.V.", "N.V."),
        8,
    ),
    Country(
        "SE",
        "EUR",
        "north",
        "sv",
        _plain("Åsa Björn Linnéa Gösta Saga Nils"),
        _plain("Åkesson Lindqvist Öberg Sandberg Nyström Holm"),
        ("AB",),
        8,
    ),
    Country(
        "PL",
        "EUR",
        "north",
        "pl",
        _plain("Małgorzata Paweł Zofia Tomasz Iwona Jacek"),
        _plain("Kowalska Wójcik Zając Nowicki Mazur Pawlak"),
        ("Sp. z o.o.", "S.A."),
        6,
    ),
    Country(
        "US",
        "USD",
        "americas",
        "en",
        _plain("Avery Jordan Maya Connor Denise Luis Priya Hank"),
        _plain("Whitfield Okafor Delgado Prescott Nguyen Harlan Brooks Mercer"),
        ("Inc.", "LLC", "Corp."),
        20,
    ),
    Country(
        "JP",
        "JPY",
        "japan",
        "ja",
        (
            ("健", "ken"),
            ("由美", "yumi"),
            ("翔太", "shota"),
            ("直子", "naoko"),
            ("大輔", "daisuke"),
            ("美咲", "misaki"),
        ),
        (
            ("佐藤", "sato"),
            ("髙橋", "takahashi"),
            ("渡辺", "watanabe"),
            ("小林", "kobayashi"),
            ("﨑山", "sakiyama"),
            ("中村", "nakamura"),
        ),
        ("株式会社",),
        14,
    ),
)
BY_CODE = {country.code: country for country in COUNTRIES}

FIRM_STEMS = _words(
    "Alder Birke Cobalt Drift Ember Falke Garnet Hafen Indigo Juniper Kiesel Lumen Merle Nordwall "
    "Opal Pinie Quarz Rowan Saffron Tidal Ufer Vela Wolke Xenon Ysop Zeder Anker Bastion Cirrus "
    "Delta Erle Fjord Gipfel Heide Iris Jade Kamm Linde Mistral Nebel Orion Perle Quelle Riff "
    "Sable Talus Ulme Viola Wacholder Zenit"
)
FIRM_TRADES = _words(
    "Logistik Optik Foods Motors Robotics Textil Pharma Energie Medien Werkzeuge Software Labs "
    "Chemie Papier Glas Steel Marine Travel Agrar Sensorik"
)
JAPANESE_FIRMS = (
    ("青空工業", "aozora"),
    ("北浜商事", "kitahama"),
    ("山吹電機", "yamabuki"),
    ("白樺精機", "shirakaba"),
    ("若葉物流", "wakaba"),
    ("紅葉製薬", "momiji"),
    ("千鳥食品", "chidori"),
    ("銀河光学", "ginga"),
    ("桜井紡績", "sakurai"),
    ("瑞穂建設", "mizuho"),
)
INDUSTRIES = (
    "MACHINERY",
    "CHEMICALS",
    "FOOD_PRODUCTION",
    "LOGISTICS_AND_SUPPLY_CHAIN",
    "COMPUTER_SOFTWARE",
    "PHARMACEUTICALS",
)
JOB_TITLES = (
    "Head of Sales",
    "Einkaufsleiter",
    "CFO",
    "Directeur commercial",
    "RevOps Manager",
    "営業部長",
    "Geschäftsführerin",
    "IT-Leiter",
)
CHANNELS = (
    "ORGANIC_SEARCH",
    "PAID_SEARCH",
    "EMAIL_MARKETING",
    "REFERRALS",
    "OFFLINE",
    "DIRECT_TRAFFIC",
)
LOSS_REASONS = ("Price", "No budget", "Competitor", "No decision", "Missing feature")
JUNK_LOSS_REASONS = ("Duplicate", "Test")
"""Loss reasons that are no loss; the settings list them as excluded."""
PRODUCTS = (
    ("Platform", 1_200),
    ("Platform, annual", 9_600),
    ("Onboarding", 2_500),
    ("Support Plus", 900),
    ("Analytics add-on", 1_800),
    ("Connector pack", 750),
    ("Training day", 1_450),
    ("日本語サポート", 1_100),
)
