"""The `gancourse` command: each subcommand imports its room when called and calls one function of it."""

import click

RECIPES = ["classifier", "vae", "stylegan", "stylegan-shapes", "shapes-regressor", "toy"]


ROLES = {
    "For readers": ["start", "update", "reset", "doctor"],
    "For your own images": ["evaluate"],
    "For instructors": ["release", "grade", "similarity"],
    "For those who change the course": ["execute", "stamp", "train", "ship"],
}


class ByRole(click.Group):
    """A command whose help lists its subcommands by who needs them, each with its whole sentence."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for role, names in ROLES.items():
            with formatter.section(role):
                commands = ((name, self.get_command(ctx, name)) for name in names)
                formatter.write_dl(
                    [(name, command.get_short_help_str(limit=500)) for name, command in commands if command]
                )


@click.group(cls=ByRole, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="gancourse")
def main() -> None:
    """Understand and evaluate GANs: run the course, grade it, measure your own images."""


@main.command()
@click.argument("folder", default="my-course", type=click.Path())
@click.option("--solved", is_flag=True, help="Copy the solved and executed chapters, to read.")
def start(folder: str, solved: bool) -> None:
    """Make a working copy of the notebooks in FOLDER (my-course)."""
    from gancourse.classroom import workcopy

    click.echo(f"Your copy of the course is in {_or_exit(workcopy.start, folder, solved=solved)}.")


@main.command()
@click.argument("folder", required=False, type=click.Path())
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
@click.option("--folder", type=click.Path(), help="The working copy (this folder or my-course).")
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
        click.echo("changed" if notebooks.execute(path) else "unchanged")


@main.command()
@click.argument("chapters", nargs=-1)
@click.option("--check", is_flag=True, help="Write nothing; fail where a student's version is out of date.")
@click.option(
    "--out", type=click.Path(), help="Write what to hand out here: OUT/gancourse and OUT/gancourse.zip."
)
def release(chapters: tuple[str, ...], check: bool, out: str | None) -> None:
    """Make the students' versions of CHAPTERS (all) from the solutions.

    With --out they go there, with a README and the points, ready to hand out; otherwise into the course's own notebooks/.
    """
    from gancourse.classroom.bundle import write_bundle
    from gancourse.classroom.release import release as make

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
        raise click.ClickException(str(error)) from None


@main.command()
@click.argument("model", type=click.Choice(RECIPES))
@click.option(
    "--out", type=click.Path(), help="The run's folder (runs/MODEL); an interrupted run goes on from there."
)
@click.option("--seed", default=0, show_default=True)
@click.option(
    "--likelihood", type=click.Choice(["bernoulli", "gaussian"]), default="bernoulli", help="For the VAE."
)
@click.option("--beta", default=1.0, help="For the VAE: the weight of the KL term.")
@click.option("--more", default=0, help="Go on from the shipped StyleGAN, for so many images more.")
def train(model: str, out: str | None, seed: int, likelihood: str, beta: float, more: int) -> None:
    """Train a model of the course from a seed; a killed run goes on from its last checkpoint."""
    from gancourse.training import recipes

    settings = {"seed": seed, "likelihood": likelihood, "beta": beta, "more": more}
    path = _or_exit(recipes.run, model, out or f"runs/{model}", **settings)
    click.echo(f"The trained weights are in {path}.")


@main.command()
@click.argument("name")
@click.argument("weights", type=click.Path(exists=True, dir_okay=False))
@click.option("--yes", is_flag=True, help="Replace without asking.")
def ship(name: str, weights: str, yes: bool) -> None:
    """Put WEIGHTS of a finished run in the place of the shipped model NAME (or toy), measured anew on its card."""
    from gancourse.training import shipping

    if not yes:
        click.confirm(
            f"This replaces {name} in data/, its samples and its card's numbers. Go on?", abort=True
        )
    click.echo(f"Read the words of {_or_exit(shipping.ship, name, weights)}: do they still hold?")


@main.command()
@click.argument("submissions", type=click.Path(exists=True, file_okay=False))
@click.option("--out", default="graded", type=click.Path(), help="Where the results go (graded).")
@click.option("--chapter", "chapters", multiple=True, help="Grade this chapter only (all); may be repeated.")
@click.option("--jobs", default=1, show_default=True, help="Submissions graded at the same time.")
@click.option(
    "--regrade",
    multiple=True,
    metavar="STUDENT",
    help='Run what was graded before again; "all" for everyone.',
)
@click.option("--seed", type=int, help="Of the secret inputs (drawn once, kept in OUT/seed).")
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
@click.option("--cell-seconds", default=60, show_default=True, help="Time limit for one cell.")
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
    default="fashion",
    help="fashion (default): the course's, for 28 x 28 grey images. inception: torchvision's, for any.",
)
@click.option("--weights", type=click.Path(), help="A file of torchvision's inception_v3 weights.")
@click.option(
    "--metrics",
    help="Some of them, e.g. fid,kid (all); a wrong name lists them. fid alone needs no memory for features.",
)
@click.option("--samples", type=int, help="Measure at most so many real and fake (all; 10,000 of a model).")
@click.option("--seed", default=0, show_default=True, help="Picks samples, latents, halves and clusters.")
@click.option("--out", type=click.Path(dir_okay=False), help="Write the report as JSON.")
@click.option("--html", type=click.Path(dir_okay=False), help="Write a page with pictures.")
@click.option("--skip-unreadable", is_flag=True, help="Leave files out that can't be used, and list them.")
@click.option(
    "--no-cache",
    is_flag=True,
    help="Neither use nor keep features in ~/.cache/gancourse or $GANCOURSE_CACHE.",
)
def evaluate(real: str, fake: str, metrics: str | None, no_cache: bool, **options) -> None:
    """Measure how far FAKE images are from REAL ones: your folders, arrays, or the course's models."""
    from gancourse.evaluate import evaluate

    chosen = metrics.lower().replace(",", " ").split() if metrics else None
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
