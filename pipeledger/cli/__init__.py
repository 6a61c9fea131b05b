"""The command line: verbs for people and schedulers, with exit codes to rely on.

0 ok · 1 failed · 2 usage or settings · 3 checks failed · 4 locked · 5 partial
"""

import typer

from pipeledger.cli import reading, running, setting_up

app = typer.Typer(
    help="The sales warehouse that ties the pipeline to the ledger.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for part in (running, reading, setting_up):
    app.add_typer(part.app)
