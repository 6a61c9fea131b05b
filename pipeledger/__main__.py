"""``python -m pipeledger``, and the console command."""

from pipeledger.cli import app


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
