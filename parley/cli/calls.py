"""`parley calls`: calls into the platform, conversations as files that others read, and the keys these are signed with.

Each command is a module of its own.
"""

import typer

from parley.cli import calls_export, calls_import, calls_key, calls_play

app = typer.Typer(help="Calls, and conversations of any channel as vCons.", no_args_is_help=True)

app.command("import")(calls_import.import_)
app.command("play")(calls_play.play)
app.command("export")(calls_export.export)
app.command("key")(calls_key.key)
