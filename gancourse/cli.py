"""The `gancourse` command: each subcommand imports its room when called and calls one function of it."""

import click


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="gancourse")
def main() -> None:
    """Understand and evaluate GANs: run the course, grade it, measure your own images."""


if __name__ == "__main__":
    main()
