"""``ecgvec train``: models that this project trains itself."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

app = typer.Typer(no_args_is_help=True, help="Retrain the models that ship with ecgvec, with your own data.")


@app.command()
def handwriting(
    data: Annotated[
        Path, typer.Option("--data", help="Folder of pen data: *.jsonl.gz and fonts/*.svg, or IAM-OnDB's own layout.")
    ],
    out: Annotated[
        Path, typer.Option("-o", "--output", help="Folder for weights and log; training resumes from what it holds.")
    ],
    steps: Annotated[int, typer.Option("--steps", min=1, help="Steps in all.")] = 8_000,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the first weights and of the data's order.")] = 6,
    threads: Annotated[int, typer.Option("--threads", min=0, help="CPU threads; 0: as many as there are.")] = 0,
    device: Annotated[str, typer.Option("--device", help="auto, cpu or cuda.")] = "auto",
) -> None:
    """Train the network that writes notes. You may kill it at any time; the same command resumes."""
    import torch

    from ecgvec.handwriting.training.train import Settings, train

    if threads:
        torch.set_num_threads(threads)
    with _Progress(steps) as progress:
        best = train(data, out, Settings(steps=steps, seed=seed), device, progress.report)
    typer.echo(f"best weights: {best}")


@app.command()
def keywords(
    out: Annotated[Path, typer.Option("-o", "--output", help="Folder for the model and its log.")],
    sentences: Annotated[int, typer.Option("--sentences", min=1, help="Sentences to write and train on.")] = 12_000,
    epochs: Annotated[int, typer.Option("--epochs", min=1, help="Passes over them.")] = 9,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the sentences, their order and the first weights.")] = 7,
) -> None:
    """Train the spaCy model that finds keywords on text written from word lists. The shipped model in 20 minutes.

    Give the folder OUTPUT/model as --nlp-model to use it.
    """
    from ecgvec.keywords.training.train import Settings, train

    settings = Settings(sentences=sentences, epochs=epochs, seed=seed)
    with _Progress(epochs, "epoch") as progress:
        model = train(out, settings, progress.report)
    typer.echo(f"model: {model}")


@app.command()
def handwriting_reader(
    data: Annotated[Path, typer.Option("--data", help="Folder of pen data: *.jsonl.gz and fonts/*.svg.")],
    out: Annotated[Path, typer.Option("-o", "--output", help="File of weights, *.safetensors.")],
    steps: Annotated[int, typer.Option("--steps", min=1, help="Steps in all.")] = 3_000,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the first weights and of the data's order.")] = 0,
    threads: Annotated[int, typer.Option("--threads", min=0, help="CPU threads; 0: as many as there are.")] = 0,
) -> None:
    """Train the reader that checks what the handwriting network wrote; takes three minutes of one core."""
    import torch

    from ecgvec.handwriting.training.train_reader import Lessons, train

    if threads:
        torch.set_num_threads(threads)
    with _Progress(steps) as progress:
        train(data, out, Lessons(steps=steps, seed=seed), progress.report)
    typer.echo(f"weights: {out}")


class _Progress:
    """A bar on a terminal, lines elsewhere."""

    def __init__(self, steps: int, unit: str = "step") -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        console = Console(stderr=True)
        columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), TextColumn("{task.description}"))
        self._bar = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._task = self._bar.add_task("", total=steps)
        self._plain = not console.is_terminal
        self._held_out = ""
        self._unit = unit

    def __enter__(self) -> _Progress:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def report(self, line: dict[str, Any]) -> None:
        """Show a line of the log."""
        if "held_out" in line:
            self._held_out = f", held out {line['held_out']:.3f}"
        if "f1" in line:
            self._held_out = f", F1 of other sentences {line['f1']:.3f}"
        text = f"loss {line['total']:.3f}{self._held_out}"
        self._bar.update(self._task, completed=line[self._unit], description=text)
        if self._plain:
            typer.echo(f"{self._unit} {line[self._unit]}: {text}, {line['seconds']:.0f} s", err=True)
