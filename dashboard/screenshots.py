"""Pictures of every page, by the system's Chromium: ``python -m dashboard.screenshots``.

Light, dark, on a phone and in Japanese, of a publication such as the demo's.
"""

import argparse
import shutil
import threading
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

from dashboard.access import Viewer
from dashboard.app import make_app
from dashboard.filters import Filters
from dashboard.reading import open_reader
from dashboard.shell import PAGES, path_of
from pipeledger.settings import Settings, load_settings

LOOKS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light", "viewport": {"width": 1360, "height": 900}},
    "dark": {"color_scheme": "dark", "viewport": {"width": 1360, "height": 900}},
    "phone": {"color_scheme": "light", "viewport": {"width": 390, "height": 844}},
    "japanese": {"color_scheme": "light", "viewport": {"width": 1360, "height": 900}},
}


def _a_deal(settings: Settings) -> str:
    """The key of a deal that has come all the way to its money."""
    with closing(open_reader(settings, "", Viewer())) as reader:
        found = reader.rows(
            "select deal_key from mart_deal_billing_recon where billing_status = 'fully_billed' "
            "and payment_status = 'paid' order by won_date desc, deal_key limit 1"
        )
    return quote(found[0]["deal_key"], safe="") if found else ""


def main() -> None:
    """Write the pictures."""
    from playwright.sync_api import sync_playwright
    from waitress.server import create_server

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, default=Path("demo/pipeledger.toml"))
    parser.add_argument("--out", type=Path, default=Path("target/screenshots"))
    parser.add_argument("--looks", nargs="*", default=list(LOOKS))
    parser.add_argument("--top", action="store_true", help="what a screen shows, not all of a page")
    parser.add_argument("--browser", default=shutil.which("chromium") or "/usr/bin/chromium")
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    settings = load_settings(asked.config).settings
    app = make_app(settings)
    behind = {"deals": "&set=won", **dict.fromkeys(("deal", "trace"), f"&key={_a_deal(settings)}")}
    server = create_server(app.server, host="127.0.0.1", port=0)
    threading.Thread(target=server.run, daemon=True).start()
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=asked.browser, args=["--no-sandbox"])
        for look in asked.looks:
            context = browser.new_context(**LOOKS[look])
            tab = context.new_page()
            query = Filters(lang="ja" if look == "japanese" else "en").query()
            for page, more in (*((page, "") for page in PAGES), *behind.items()):
                address = f"http://127.0.0.1:{server.effective_port}{path_of(page)}?{query}{more}"
                tab.goto(address)
                tab.wait_for_selector("#page.ready", timeout=60_000)
                tab.wait_for_load_state("networkidle")
                path = asked.out / f"{page}-{look}.png"
                tab.screenshot(path=path, full_page=not asked.top)
                print(f"wrote {path}")
            context.close()
        browser.close()
    server.close()


if __name__ == "__main__":
    main()
