"""`parley eval`: how good a part of the platform is on a folder of texts."""

import typer

from parley.cli.evaluating_answers import answers
from parley.cli.evaluating_intents import intents
from parley.cli.evaluating_masking import masking
from parley.cli.evaluating_retrieval import retrieval

app = typer.Typer(no_args_is_help=True, help="Measure on files of your own.")
app.command("answers")(answers)
app.command("intents")(intents)
app.command("masking")(masking)
app.command("retrieval")(retrieval)


@app.callback()
def options() -> None:
    """Measure on files of your own."""
