"""The `gancourse` command: each subcommand imports its room when called and calls one function of it."""

import re
import tempfile
from pathlib import Path

import click

RECIPES = ["classifier", "vae", "stylegan", "stylegan-shapes", "shapes-regressor", "toy"]


ROLES = {
    "For readers": ["start", "update", "reset", "doctor"],
    "For your own images": ["evaluate"],
    "For instructors": ["release", "grade", "similarity"],
    "For those who change the course": ["execute", "stamp", "train", "ship"],
}


class Strict(click.Command):
    """A command that takes no empty value: `""` is a slip of the shell, never the current folder or a default."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        rest = super().parse_args(ctx, args)
        for param in self.params:
            given = ctx.params.get(param.name or "")
            if "" in (given if isinstance(given, tuple) else (given,)):
                raise click.BadParameter("expected a value, got nothing", ctx, param)
        return rest


class ByRole(click.Group):
    """A command whose help lists its subcommands by who needs them, each with its whole sentence."""

    command_class = Strict

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for role, names in ROLES.items():
            with formatter.section(role):
                commands = ((name, self.get_command(ctx, name)) for name in names)
                formatter.write_dl(
                    [(name, command.get_short_help_str(limit=500)) for name, command in commands if command]
                )


class Whole(click.IntRange):
    """A whole number within bounds; what is none at all is told to be no integer, rather than no "integer range"."""

    name = "integer"


class Place(click.Path):
    """A file (`dir_okay=False`) or a folder (`file_okay=False`) to be written, refused before any work where that can't be."""

    def convert(self, value, param, ctx):
        super().convert(value, param, ctx)
        path = Path(value).resolve()
        folder = path if self.dir_okay else path.parent
        try:
            while not folder.exists():
                folder = folder.parent
            if not folder.is_dir():
                self.fail(f"{value}: {folder} is a file, not a folder", param, ctx)
            tempfile.TemporaryFile(dir=folder).close()
        except OSError as error:
            self.fail(f"{value}: nothing can be written in {folder} ({error.strerror})", param, ctx)
        return value


FOLDER, FILE, SEED = Place(file_okay=False), Place(dir_okay=False), Whole(0, 2**63 - 1)


@click.group(cls=ByRole, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="gancourse")
def main() -> None:
    """Understand and evaluate GANs: run the course, grade it, measure your own images."""


@main.command()
@click.argument("folder", default="my-course", type=FOLDER)
@click.option("--solved", is_flag=True, help="Copy the solved and executed chapters, to read.")
def start(folder: str, solved: bool) -> None:
    """Make a working copy of the notebooks in FOLDER (my-course)."""
    from gancourse.classroom import workcopy

    click.echo(f"Your copy of the course is in {_or_exit(workcopy.start, folder, solved=solved)}.")


@main.command()
@click.argument("folder", required=False, type=click.Path(file_okay=False))
def update(folder: str | None) -> None:
    """Bring new and changed chapters into the working copy FOLDER (this folder or my-course); what you edited stays."""
    from gancourse.classroom import workcopy

    place = folder or workcopy.here()
    happened = _or_exit(workcopy.update, place)
    for name, what in happened or [(place, "up to date")]:
        click.echo(f"{name}: {what}")
    if any(".new" in name for name, _ in happened):
        click.echo("To go on in a new version: copy your answers into it, then delete yours and rename it.")


@main.command()
@click.argument("exercise")
@click.option(
    "--folder", type=click.Path(file_okay=False), help="The working copy (this folder or my-course)."
)
def reset(exercise: str, folder: str | None) -> None:
    """Restore the answer cell of EXERCISE ("03.2") as it was given, keeping your text in a file."""
    from gancourse.classroom import workcopy

    notebook, backup = _or_exit(workcopy.reset, exercise, folder or workcopy.here())
    kept = f" Your text is in {backup}." if backup else ""
    click.echo(f"{notebook}: exercise {exercise} is as it was given.{kept}")


@main.command()
@click.argument("chapters", nargs=-1)
def execute(chapters: tuple[str, ...]) -> None:
    """Execute the solution notebooks of CHAPTERS (all) and store them in normal form."""
    from gancourse.classroom import notebooks

    for path in _or_exit(notebooks.solutions, chapters):
        click.echo(f"{path.name}: ", nl=False)
        click.echo("changed" if _or_exit(notebooks.execute, path) else "unchanged")


@main.command()
@click.argument("chapters", nargs=-1)
@click.option("--chapter", "--chapters", "more", multiple=True, help="One of CHAPTERS; may be repeated.")
@click.option("--check", is_flag=True, help="Write nothing; fail where a student's version is out of date.")
@click.option("--out", type=FOLDER, help="Write what to hand out here: OUT/gancourse and OUT/gancourse.zip.")
def release(chapters: tuple[str, ...], more: tuple[str, ...], check: bool, out: str | None) -> None:
    """Make the students' versions of CHAPTERS (all) from the solutions.

    With --out they go there, with a README and the points, ready to hand out; otherwise into the course's own notebooks/.
    """
    from gancourse.classroom.bundle import write_bundle
    from gancourse.classroom.release import release as make

    chapters += more
    if check and out:
        raise click.UsageError("--check writes nothing, so there is no --out.")
    if out:
        for path in _or_exit(write_bundle, out, chapters):
            click.echo(path)
        return
    stale = _or_exit(make, chapters, check=check)
    for path in stale:
        click.echo(f"{path.name}: {'out of date, run gancourse release' if check else 'written'}")
    if check and stale:
        raise SystemExit(1)


@main.command()
@click.option("--online", is_flag=True, help="Also ask whether optional weights could be downloaded.")
def doctor(online: bool) -> None:
    """Say what this machine has of what the course needs, and what to do about the rest."""
    from gancourse import doctor

    findings = doctor.diagnose(online=online)
    click.echo(doctor.table(findings))
    if not doctor.healthy(findings):
        raise SystemExit(1)


@main.command()
def stamp() -> None:
    """Write the repository's address, set in pyproject.toml, into badges and Colab cells."""
    from gancourse.classroom import colab, notebooks

    for path in _or_exit(colab.stamp, notebooks.folder().parent):
        click.echo(f"{path.name}: stamped")
    click.echo("Now `gancourse release` brings the students' versions up to date.")


def _or_exit(function, *args, **options):
    """The function's value; its ValueError, OSError or ImportError in plain words and exit status 1."""
    try:
        return function(*args, **options)
    except (ValueError, OSError, ImportError) as error:
        raise click.ClickException(_as_typed(error)) from None


def _as_typed(error: Exception) -> str:
    """An error's message; the argument that it begins with is written as it is typed, `--seed` for `seed`."""
    message = str(error)
    if isinstance(error, OSError) and error.strerror and error.filename:
        place = Path(str(error.filename))
        message = f"{place.parent if place.suffix == '.part' else place}: {error.strerror}"
    for param in click.get_current_context().command.params:
        if re.match(rf"{param.name}[: ]", message):
            typed = param.opts[0] if isinstance(param, click.Option) else param.human_readable_name
            return typed + message.removeprefix(param.name or "")
    return message


@main.command()
@click.argument("model", metavar="MODEL", type=click.Choice(RECIPES))
@click.option(
    "--out",
    "folder",
    type=FOLDER,
    help="The run's folder (runs/MODEL); an interrupted run goes on from there.",
)
@click.option("--seed", type=SEED, help="For all but the toy (0).")
@click.option("--likelihood", type=click.Choice(["bernoulli", "gaussian"]), help="For the VAE (bernoulli).")
@click.option("--beta", type=float, help="For the VAE: the weight of the KL term (1).")
@click.option(
    "--more",
    type=Whole(min=0),
    help="For the StyleGAN: go on from the shipped one, for so many images more.",
)
def train(model: str, folder: str | None, **settings) -> None:
    """Train a MODEL of the course from a seed; a killed run goes on from its last checkpoint.

    MODEL is classifier, vae, stylegan, stylegan-shapes, shapes-regressor or toy.
    """
    from gancourse.training import recipes

    given = {name: value for name, value in settings.items() if value is not None}
    path = _or_exit(recipes.run, model, folder or f"runs/{model}", **given)
    click.echo(f"The trained weights are in {path}.")


@main.command()
@click.argument("name")
@click.argument("weights", type=click.Path(exists=True, dir_okay=False))
@click.option("--yes", is_flag=True, help="Replace without asking.")
def ship(name: str, weights: str, yes: bool) -> None:
    """Put WEIGHTS of a finished run in the place of the shipped model NAME (or toy), measured anew on its card."""
    from gancourse.training import shipping

    _or_exit(shipping.check, name, weights)
    question = f"This replaces {name} in data/, its samples and its card's numbers. Go on?"
    try:
        if not yes:
            click.confirm(question, abort=True)
    except click.Abort:
        raise click.ClickException("nothing was replaced; where nobody can answer, add --yes") from None
    click.echo(f"Read the words of {_or_exit(shipping.ship, name, weights)}: do they still hold?")


@main.command()
@click.argument("submissions", type=click.Path(exists=True, file_okay=False))
@click.option("--out", default="graded", type=FOLDER, help="Where the results go (graded).")
@click.option("--chapter", "chapters", multiple=True, help="Grade this chapter only (all); may be repeated.")
@click.option(
    "--jobs",
    type=Whole(min=1),
    default=1,
    show_default=True,
    help="Submissions graded at the same time.",
)
@click.option(
    "--regrade",
    multiple=True,
    metavar="STUDENT",
    help='Run what was graded before again; "all" for everyone.',
)
@click.option("--seed", type=Whole(min=0), help="Of the secret inputs (drawn once, kept in OUT/seed).")
@click.option(
    "--credit",
    multiple=True,
    metavar="STATUS=SHARE",
    help="Points for answers that are not right, e.g. mistake=0.5 for those with a named mistake (0).",
)
@click.option(
    "--late",
    type=click.Path(exists=True, dir_okay=False),
    help="CSV of due dates: chapter, student (empty: everyone), due, per_day (share lost for each day begun).",
)
@click.option(
    "--students",
    type=click.Path(exists=True, dir_okay=False),
    help="The class, one name in each line: who handed in nothing has a row too.",
)
@click.option(
    "--fill",
    "exports",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False),
    help="A gradebook that Canvas or Moodle exported: a copy with the points is written; may be repeated.",
)
@click.option(
    "--cell-seconds",
    type=Whole(min=1),
    default=60,
    show_default=True,
    help="Time limit for one cell.",
)
def grade(submissions: str, out: str, credit: tuple[str, ...], **options) -> None:
    """Grade SUBMISSIONS/<student>/<chapter>.ipynb into OUT: gradebook, summary, feedback pages, class report.

    Answers that a person reads get a line in OUT/manual.csv: fill in the points and run the command again.
    """
    from gancourse.classroom.grade import grade
    from gancourse.classroom.points import read_credit

    rows = _or_exit(grade, submissions, out, credit=_or_exit(read_credit, credit), **options)
    students = len({row.student for row in rows})
    click.echo(
        f"{students} student{'s' * (students != 1)}, {len(rows)} rows in {out}/gradebook.csv; points by chapter in "
        f"{out}/summary.csv;"
    )
    click.echo(f"pages for students in {out}/feedback, for you {out}/class_report.html.")


@main.command()
@click.argument("out", default="graded", type=click.Path(exists=True, file_okay=False))
def similarity(out: str) -> None:
    """List pairs of answers in OUT (graded) that are alike: a place to look, no verdict."""
    from gancourse.classroom.similarity import compare

    pairs = _or_exit(compare, out)
    click.echo(
        f"{len(pairs)} pair{'s' * (len(pairs) != 1)} in {out}/similarity.html and {out}/similarity.csv."
    )


@main.command()
@click.option("--real", required=True, help="Folder, .npy, .npz, .safetensors, fashion-mnist:test or :train.")
@click.option("--fake", required=True, help="The same, or the name of a shipped generator (stylegan, vae).")
@click.option("--train", help="The same, of the images FAKE's generator was trained on: does it copy them?")
@click.option(
    "--features",
    type=click.Choice(["fashion", "inception", "inception-fid"]),
    help="fashion (default): the course's, for 28 x 28 grey images. inception: torchvision's, for any.",
)
@click.option("--weights", type=click.Path(), help="A file of torchvision's inception_v3 weights.")
@click.option(
    "--metrics",
    help="Some of them, e.g. fid,kid (all); a wrong name lists them. fid alone needs no memory for features.",
)
@click.option(
    "--samples",
    type=Whole(min=1),
    help="Measure at most so many real and fake (all; 10,000 of a model).",
)
@click.option(
    "--seed", type=SEED, default=0, show_default=True, help="Picks samples, latents, halves and clusters."
)
@click.option("--out", type=FILE, help="Write the report as JSON.")
@click.option("--html", type=FILE, help="Write a page with pictures.")
@click.option("--skip-unreadable", is_flag=True, help="Leave files out that can't be used, and list them.")
@click.option(
    "--no-cache",
    is_flag=True,
    help="Neither use nor keep features in ~/.cache/gancourse or $GANCOURSE_CACHE.",
)
def evaluate(real: str, fake: str, metrics: str | None, no_cache: bool, **options) -> None:
    """Measure how far FAKE images are from REAL ones: your folders, arrays, or the course's models."""
    from gancourse.evaluate import evaluate

    chosen = re.findall(r"[^,;\s]+", metrics) if metrics else None
    try:
        result = _or_exit(evaluate, real, fake, metrics=chosen, use_cache=not no_cache, **options)
    except KeyboardInterrupt as stopped:
        click.echo("\n".join(["", *getattr(stopped, "__notes__", [])]), err=True)
        raise
    if result is not None:  # under torchrun, the first process speaks
        click.echo(str(result))
        for path in filter(None, (options["out"], options["html"])):
            click.echo(f"Written to {path}.")


if __name__ == "__main__":
    main()
