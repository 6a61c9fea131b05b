"""The mailboxes: about 15 000 messages at scale 1, many of them in two boxes.

Three kinds of conversation: those the CRM logged too (same Message-ID), others with
people the CRM knows, and inquiries from domains nobody knows: the lead candidates. In
between lie automatic replies, bounces, newsletters and internal mail. Nobody at the
company of an unwell deal writes anything that the deal's story does not call for.

All mail lies within the last 23 months, which a default IMAP backfill of 24 reads whole.
"""

import random

from sandbox.company.clock import DAY, HOUR, MINUTE, SECOND, business_date
from sandbox.company.journeys import office_time
from sandbox.company.letters import Address, Letter
from sandbox.company.mailboxes import MAILBOXES, SENT, SHARED, Post, sort_into_folders
from sandbox.company.model import Contact, World
from sandbox.company.names import BY_CODE, FIRM_STEMS, JAPANESE_FIRMS
from sandbox.company.people import BY_EMAIL, BY_OWNER, DOMAIN, OWN_DOMAINS, Rep

FIRST_MAIL_DAYS = 700

TOPICS = {
    "de": ("Rückfrage zum Angebot", "Terminvorschlag", "Verlängerung für nächstes Jahr"),
    "ja": ("お見積りの件", "契約更新について", "打ち合わせの日程"),
    "fr": ("Précisions sur l'offre", "Réunion", "Renouvellement"),
    "en": ("Question about the offer", "Meeting next week", "Renewal"),
}
INQUIRIES = {
    "de": ("Anfrage Preise", "Interesse an Ihrer Lösung für größere Teams"),
    "ja": ("資料請求", "製品に関するお問い合わせ"),
    "fr": ("Demande de tarif", "Intérêt pour votre solution"),
    "en": ("Pricing inquiry", "Looking for a demo"),
}


class PostOffice:
    """Writes letters and drops each into the boxes of the people on it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.rng = random.Random(f"{world.seed}:mail")
        self.letters: list[Letter] = []
        self.candidates: dict[str, int] = {}
        self.threads = 0
        self.oldest = world.today - FIRST_MAIL_DAYS * DAY
        self.newest = world.today - 16 * HOUR
        self.sightings = 0

    def boxes(self, letter: Letter) -> list[tuple[str, str]]:
        """Sent for the sender's box, INBOX (or Archive when old) for those addressed."""
        held = []
        if letter.sender[1] in MAILBOXES:
            held.append((letter.sender[1], SENT.get(letter.sender[1], "Sent")))
        aged = letter.at < self.world.today - 300 * DAY
        for _, address in (*letter.to, *letter.cc):
            if address in MAILBOXES and address != letter.sender[1]:
                held.append((address, "Archive" if aged else "INBOX"))
        return held

    def send(self, letter: Letter) -> Letter:
        """Post a letter."""
        letter.number = len(self.letters) + 1
        letter.boxes = self.boxes(letter)
        self.sightings += len(letter.boxes)
        self.letters.append(letter)
        return letter

    def message_id(self, domain: str) -> str:
        """A fresh Message-ID without its brackets."""
        return f"{self.rng.getrandbits(64):016x}@mail.{domain}"

    def thread(self) -> str:
        """A fresh conversation."""
        self.threads += 1
        return f"t{self.threads}"

    def moment(self) -> int:
        """Some working moment of the last 23 months."""
        at = self.rng.randint(self.oldest, self.newest - 20 * DAY)
        return office_time(self.rng, at)

    # --- conversations -----------------------------------------------------

    def crm_conversations(self) -> None:
        """What the CRM logged and the mailboxes hold as well."""
        before: dict[str, list[str]] = {}
        activities = [one for one in self.world.activities if one.kind == "emails"]
        for one in sorted(activities, key=lambda activity: activity.at):
            chain = before.setdefault(one.thread or one.id, [])
            rep = BY_OWNER[one.owner_id]
            ghosted = one.deal is not None and (one.deal.health or "").startswith("ghosted")
            ours: Address = (rep.name, rep.email)
            theirs: Address = (f"{one.contact.given} {one.contact.family}", one.contact.email)
            if one.at > self.oldest and (rep.email in MAILBOXES or ghosted):
                coming = one.direction == "in"
                letter = Letter(
                    one.message_id,
                    one.at,
                    theirs if coming else ours,
                    [ours if coming else theirs],
                    [("Sales", SHARED)] if ghosted else [],
                    f"Re: {one.subject}" if chain else one.subject,
                    one.contact.account.country.language,
                    one.thread or one.id,
                    references=list(chain),
                )
                self.send(letter)
                if ghosted and not coming and chain and one.at > self.world.today - 60 * DAY:
                    self._out_of_office(letter)
            chain.append(one.message_id or "")

    def _out_of_office(self, letter: Letter) -> None:
        """The machine answers, the person does not."""
        if letter.number % 2:
            return
        reply = Letter(
            self.message_id(letter.to[0][1].split("@")[1]),
            letter.at + 30 * SECOND,
            letter.to[0],
            [letter.sender],
            [("Sales", SHARED)],
            f"Automatic reply: {letter.subject}",
            letter.language,
            letter.thread,
            kind="auto",
            references=[*letter.references, letter.message_id or ""],
        )
        self.send(reply)

    def known(self, contacts: list[Contact]) -> None:
        """A conversation of one to seven messages with somebody the CRM knows."""
        rng = self.rng
        contact = rng.choice(contacts)
        language = contact.account.country.language
        at = self.moment()
        reps = [
            BY_EMAIL[box]
            for box in MAILBOXES[1:]
            if BY_EMAIL[box].row(business_date(at)) is not None
        ]
        rep = rng.choice(reps)
        address = contact.email
        if contact.old_emails and rng.random() < 0.5:
            address = contact.old_emails[0]
        theirs: Address = (f"{contact.given} {contact.family}", address)
        topics = TOPICS.get(language, TOPICS["en"])
        self._talk(
            at,
            rep,
            theirs,
            f"{rng.choice(topics)} Nr. {1_000 + self.threads}",
            language,
            ours_first=rng.random() < 0.6,
        )

    def _talk(
        self, at: int, rep: Rep, theirs: Address, subject: str, language: str, *, ours_first: bool
    ) -> None:
        rng = self.rng
        thread = self.thread()
        chain: list[str] = []
        ours: Address = (rep.name, rep.email)
        out, prefix = ours_first, {"de": "AW", "sv": "SV"}.get(language, "Re")
        for turn in range(rng.choice((1, 1, 2, 2, 3, 3, 4, 5, 7))):
            draw = rng.random()
            copies: list[Address] = []
            if draw < 0.17:
                copies = [("Sales", SHARED)]
            elif draw < 0.24:
                box = rng.choice([one for one in MAILBOXES[1:] if one != rep.email])
                copies = [(BY_EMAIL[box].name, box)]
            letter = self.send(
                Letter(
                    self.message_id((ours if out else theirs)[1].split("@")[1]),
                    at,
                    ours if out else theirs,
                    [theirs if out else ours],
                    copies,
                    f"{prefix}: {subject}" if turn else subject,
                    language,
                    thread,
                    references=list(chain),
                    attachment=rng.random() < 0.08,
                    oddity="zone_unknown" if rng.random() < 0.01 else "",
                )
            )
            chain.append(letter.message_id or "")
            if out and rng.random() < 0.03:
                self._auto_reply(letter, chain)
            at += rng.randint(1, 50) * HOUR + rng.randint(0, 59) * MINUTE
            out = not out
            if at > self.newest:
                return

    def _auto_reply(self, letter: Letter, chain: list[str]) -> None:
        self.send(
            Letter(
                self.message_id(letter.to[0][1].split("@")[1]),
                letter.at + 20 * SECOND,
                letter.to[0],
                [letter.sender],
                [],
                f"Abwesend: {letter.subject}",
                letter.language,
                letter.thread,
                kind="auto",
                references=list(chain),
            )
        )

    def inquiry(self, number: int) -> None:
        """Somebody from nowhere asks; a third of them twice, half get an answer."""
        rng = self.rng
        country = BY_CODE[rng.choice(("DE", "DE", "FR", "US", "US", "JP", "SE"))]
        given, family = rng.choice(country.given), rng.choice(country.family)
        stem = rng.choice(JAPANESE_FIRMS)[1] if country.code == "JP" else rng.choice(FIRM_STEMS)
        address = f"{given[1]}.{family[1]}@{stem.lower()}-{number}.test"
        theirs: Address = (f"{given[0]} {family[0]}", address)
        language = country.language
        at = self.moment()
        for _ in range(2 if rng.random() < 0.3 else 1):
            subject = f"{rng.choice(INQUIRIES.get(language, INQUIRIES['en']))} Nr. {self.threads}"
            odd = rng.choice(("date_junk", "date_years_off")) if rng.random() < 0.01 else ""
            anonymous = rng.random() < 0.02
            thread = self.thread()
            domain = address.split("@")[1]
            letter = self.send(
                Letter(
                    None if anonymous else self.message_id(domain),
                    at,
                    theirs,
                    [("Sales", SHARED)],
                    [],
                    subject,
                    language,
                    thread,
                    oddity=odd,
                )
            )
            first = self.candidates.get(address, at)
            self.candidates[address] = min(first, at)
            if not anonymous and rng.random() < 0.5:
                rep = BY_EMAIL[rng.choice(MAILBOXES[1:])]
                self.send(
                    Letter(
                        self.message_id(DOMAIN),
                        at + rng.randint(1, 30) * HOUR,
                        (rep.name, rep.email),
                        [theirs],
                        [("Sales", SHARED)],
                        f"Re: {subject}",
                        language,
                        thread,
                        references=[letter.message_id or ""],
                    )
                )
            at = min(at + rng.randint(3, 19) * DAY, self.newest)

    def colleague(self, contacts: list[Contact]) -> None:
        """Somebody unknown at a company that is known: a contact, not a lead candidate."""
        contact = self.rng.choice(contacts)
        number = 2_000 + self.threads
        theirs: Address = ("", f"office{number}@{contact.account.domain}")
        rep = BY_EMAIL[self.rng.choice(MAILBOXES[1:])]
        language = contact.account.country.language
        self._talk(self.moment(), rep, theirs, f"Info Nr. {number}", language, ours_first=False)

    # --- noise -------------------------------------------------------------

    def newsletter(self) -> None:
        """A mailing list."""
        number = self.rng.randint(1, 25)
        self._noise((f"News {number}", f"news@letters{number}.test"), "list", "Newsletter")

    def bounce(self) -> None:
        """A delivery failed."""
        sender = ("Mail Delivery System", "mailer-daemon@relay.test")
        self._noise(sender, "bounce", "Undelivered Mail Returned to Sender")

    def _noise(self, sender: Address, kind: str, subject: str) -> None:
        box = self.rng.choice(MAILBOXES)
        self.send(
            Letter(
                self.message_id(sender[1].split("@")[1]),
                self.moment(),
                sender,
                [("", box)],
                [],
                f"{subject} {self.threads + 1}",
                "en",
                self.thread(),
                kind=kind,
            )
        )

    def internal(self) -> None:
        """Among ourselves: never landed."""
        ours = [BY_EMAIL[box] for box in self.rng.sample(MAILBOXES[1:], 2)]
        self.send(
            Letter(
                self.message_id(DOMAIN),
                self.moment(),
                (ours[0].name, ours[0].email),
                [(ours[1].name, ours[1].email)],
                [],
                f"Forecast {self.threads + 1}",
                "de",
                self.thread(),
            )
        )


def direction(letter: Letter) -> str:
    """out, in or internal, by the domains on the message."""
    if letter.sender[1].split("@")[1] not in OWN_DOMAINS:
        return "in"
    others = (address.split("@")[1] for _, address in (*letter.to, *letter.cc))
    return "internal" if all(domain in OWN_DOMAINS for domain in others) else "out"


def deliver(world: World) -> Post:
    """Write all mail and put it into the folders, UIDs in order of arrival."""
    office = PostOffice(world)
    rng, scale = office.rng, world.scale
    contacts = [one for one in world.contacts if not (one.account.quiet or one.account.solo)]
    office.crm_conversations()
    for number in range(round(760 * scale)):
        office.inquiry(number)
    for make, count in (
        (office.newsletter, 620),
        (office.bounce, 140),
        (office.internal, 420),
    ):
        for _ in range(max(2, round(count * scale))):
            make()
    for _ in range(max(2, round(60 * scale))):
        office.colleague(contacts)
    while office.sightings < round(15_000 * scale):
        office.known(contacts)
    return Post(sort_into_folders(world, office.letters, rng), office.letters, office.candidates)
