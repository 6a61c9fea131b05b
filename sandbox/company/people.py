"""The sales organisation: 25 reps and their managers, as dated rows of a roster.

The tree is made of managers: a leaf team's manager reports to the EMEA director or to
the vice president. Teams, managers and roles change; each change is a new row, and rows
are half-open (``valid_to`` is the first day on which the row no longer holds).
"""

from dataclasses import dataclass
from datetime import date

from sandbox.company.clock import business_date

DOMAIN = "nordlicht.example"
OWN_DOMAINS = (DOMAIN, "nordlicht-jp.example")
PARENT_TEAM = {
    "dach": "emea",
    "west": "emea",
    "north": "emea",
    "emea": "sales",
    "americas": "sales",
    "japan": "sales",
    "renewals": "sales",
    "sales": None,
}
FOUNDED = date(2023, 2, 1)


@dataclass(frozen=True, slots=True)
class Row:
    """What held of a person in ``[valid_from, valid_to)``; open end None."""

    valid_from: date
    valid_to: date | None
    team: str
    manager: str | None
    role: str
    quota_carrying: bool


@dataclass(frozen=True, slots=True)
class Rep:
    """A person of the sales organisation; ``manager`` of a row is an e-mail address."""

    email: str
    given: str
    family: str
    owner_id: str
    user_id: int
    hired_on: date
    left_on: date | None
    rows: tuple[Row, ...]

    @property
    def name(self) -> str:
        """Given and family name."""
        return f"{self.given} {self.family}"

    def row(self, day: date) -> Row | None:
        """The roster row of a day; None before hiring and after leaving."""
        for row in self.rows:
            if row.valid_from <= day and (row.valid_to is None or day < row.valid_to):
                return row
        return None

    def team(self, day: date) -> str | None:
        """The team of a day."""
        row = self.row(day)
        return row.team if row else None


def mail(local_part: str, domain: str = DOMAIN) -> str:
    """An address of ours."""
    return f"{local_part}@{domain}"


VP = "helene.storm"
EMEA = "ivar.nyberg"
DACH_LEAD, WEST_LEAD, NORTH_LEAD = "karin.wolff", "remy.fontaine", "maja.holm"
US_LEAD, RENEWALS_LEAD = "grace.osei", "tom.baker"
JAPAN_LEAD = "takashi.ueno"

Change = tuple[date, str, str | None, str, bool]
"""From when: team, manager's local part, role, carries quota."""

_TABLE: tuple[tuple[str, str, str, date | None, tuple[Change, ...]], ...] = (
    (VP, "Helene", "Storm", None, ((FOUNDED, "sales", None, "vp", False),)),
    (EMEA, "Ivar", "Nyberg", None, ((FOUNDED, "emea", VP, "director", False),)),
    (DACH_LEAD, "Karin", "Wolff", None, ((FOUNDED, "dach", EMEA, "manager", False),)),
    (
        WEST_LEAD,
        "Rémy",
        "Fontaine",
        date(2025, 7, 1),
        ((FOUNDED, "west", EMEA, "manager", False),),
    ),
    (NORTH_LEAD, "Maja", "Holm", None, ((FOUNDED, "north", EMEA, "manager", False),)),
    (US_LEAD, "Grace", "Osei", None, ((FOUNDED, "americas", VP, "manager", False),)),
    (JAPAN_LEAD, "隆", "上野", None, ((FOUNDED, "japan", VP, "manager", False),)),
    (RENEWALS_LEAD, "Tom", "Baker", None, ((FOUNDED, "renewals", VP, "manager", False),)),
    # Reps. A rep who follows the west lead as manager leaves the quota behind.
    ("anton.behr", "Anton", "Behr", None, ((FOUNDED, "dach", DACH_LEAD, "rep", True),)),
    ("britta.sommer", "Britta", "Sommer", None, ((FOUNDED, "dach", DACH_LEAD, "rep", True),)),
    (
        "cem.aydin",
        "Cem",
        "Aydin",
        None,
        (
            (FOUNDED, "dach", DACH_LEAD, "rep", True),
            (date(2025, 7, 1), "west", EMEA, "manager", False),
        ),
    ),
    (
        "doris.lang",
        "Doris",
        "Lang",
        None,
        (
            (FOUNDED, "dach", DACH_LEAD, "rep", True),
            (date(2025, 2, 1), "west", WEST_LEAD, "rep", True),
            (date(2025, 7, 1), "west", "cem.aydin", "rep", True),
        ),
    ),
    (
        "emil.roth",
        "Emil",
        "Roth",
        date(2025, 5, 1),
        ((FOUNDED, "dach", DACH_LEAD, "rep", True),),
    ),
    (
        "frida.jansen",
        "Frida",
        "Jansen",
        None,
        ((date(2024, 5, 1), "dach", DACH_LEAD, "rep", True),),
    ),
    (
        "gil.moreno",
        "Gil",
        "Moreno",
        None,
        (
            (FOUNDED, "west", WEST_LEAD, "rep", True),
            (date(2025, 7, 1), "west", "cem.aydin", "rep", True),
        ),
    ),
    (
        "hanna.devries",
        "Hanna",
        "de Vries",
        None,
        (
            (FOUNDED, "west", WEST_LEAD, "rep", True),
            (date(2025, 6, 16), "north", NORTH_LEAD, "rep", True),
        ),
    ),
    (
        "ines.caron",
        "Inès",
        "Caron",
        None,
        (
            (FOUNDED, "west", WEST_LEAD, "rep", True),
            (date(2025, 7, 1), "west", "cem.aydin", "rep", True),
        ),
    ),
    (
        "joris.maes",
        "Joris",
        "Maes",
        date(2026, 4, 1),
        (
            (FOUNDED, "west", WEST_LEAD, "rep", True),
            (date(2025, 7, 1), "west", "cem.aydin", "rep", True),
        ),
    ),
    ("kaisa.lund", "Kaisa", "Lund", None, ((FOUNDED, "north", NORTH_LEAD, "rep", True),)),
    (
        "lars.ek",
        "Lars",
        "Ek",
        None,
        (
            (FOUNDED, "north", NORTH_LEAD, "rep", True),
            (date(2026, 9, 1), "dach", DACH_LEAD, "rep", True),
        ),
    ),
    (
        "milosz.kania",
        "Miłosz",
        "Kania",
        None,
        ((date(2025, 3, 3), "north", NORTH_LEAD, "rep", True),),
    ),
    (
        "nora.berg",
        "Nora",
        "Berg",
        date(2026, 9, 1),
        ((FOUNDED, "north", NORTH_LEAD, "rep", True),),
    ),
    ("omar.haddad", "Omar", "Haddad", None, ((FOUNDED, "americas", US_LEAD, "rep", True),)),
    ("paige.turner", "Paige", "Turner", None, ((FOUNDED, "americas", US_LEAD, "rep", True),)),
    ("quinn.reyes", "Quinn", "Reyes", None, ((FOUNDED, "americas", US_LEAD, "rep", True),)),
    (
        "rosa.kim",
        "Rosa",
        "Kim",
        None,
        ((date(2026, 2, 2), "americas", US_LEAD, "rep", True),),
    ),
    ("sayaka.mori", "沙也加", "森", None, ((FOUNDED, "japan", JAPAN_LEAD, "rep", True),)),
    ("taro.inoue", "太郎", "井上", None, ((FOUNDED, "japan", JAPAN_LEAD, "rep", True),)),
    (
        "umeko.hara",
        "梅子",
        "原",
        None,
        ((date(2024, 9, 2), "japan", JAPAN_LEAD, "rep", True),),
    ),
    ("vera.stein", "Vera", "Stein", None, ((FOUNDED, "renewals", RENEWALS_LEAD, "rep", True),)),
    ("will.ford", "Will", "Ford", None, ((FOUNDED, "renewals", RENEWALS_LEAD, "rep", True),)),
    (
        "xenia.popov",
        "Xenia",
        "Popov",
        None,
        ((FOUNDED, "renewals", RENEWALS_LEAD, "rep", True),),
    ),
    (
        "yannick.roux",
        "Yannick",
        "Roux",
        None,
        ((date(2024, 2, 1), "renewals", RENEWALS_LEAD, "rep", True),),
    ),
)


def _roster() -> tuple[Rep, ...]:
    japanese = {JAPAN_LEAD, "sayaka.mori", "taro.inoue", "umeko.hara"}
    address = {row[0]: mail(row[0], OWN_DOMAINS[row[0] in japanese]) for row in _TABLE}
    reps = []
    for place, (local_part, given, family, left_on, changes) in enumerate(_TABLE):
        ends = [change[0] for change in changes[1:]] + [left_on]
        rows = tuple(
            Row(start, end, team, address[boss] if boss else None, role, carries)
            for (start, team, boss, role, carries), end in zip(changes, ends, strict=True)
        )
        reps.append(
            Rep(
                email=address[local_part],
                given=given,
                family=family,
                owner_id=str(61_000_001 + 7 * place),
                user_id=9_001 + place,
                hired_on=changes[0][0],
                left_on=left_on,
                rows=rows,
            )
        )
    return tuple(reps)


ROSTER = _roster()
BY_OWNER = {rep.owner_id: rep for rep in ROSTER}
BY_EMAIL = {rep.email: rep for rep in ROSTER}
QUEUE_OWNER_ID = "61000900"
"""An owner of type QUEUE: no person, no e-mail; leads wait there."""
UNKNOWN_OWNER_ID = "61099999"
"""An owner id that the owners list does not know: a removed integration user."""


def sellers(team: str, at: int) -> list[Rep]:
    """The reps who carried quota in a team at an instant."""
    day = business_date(at)
    return [
        rep for rep in ROSTER if (row := rep.row(day)) and row.team == team and row.quota_carrying
    ]


def boss_of(rep: Rep, at: int) -> Rep:
    """Who answers for a rep: the manager of the day, or of the last day before leaving."""
    row = rep.row(business_date(at)) or rep.rows[-1]
    return BY_EMAIL[row.manager] if row.manager else BY_EMAIL[mail(VP)]
