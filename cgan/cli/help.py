"""The groups of commands and options in the help texts, the most used first."""

from collections.abc import Mapping, Sequence

import click

# by heading: each command and its summary, in at most 58 characters
COMMANDS: dict[str, dict[str, str]] = {
    "Start": {
        "run": "Go from a folder of images to a report.",
        "demo": "The same with embedded images, in minutes.",
        "data": "Show what labelled images hold, and import them.",
        "doctor": "Check that everything needed is installed and works.",
        "recipes": "List the recipes with their faults, times and scores.",
        "runs": "List what was trained, on what, and how good it is.",
    },
    "Train": {
        "train-classifier": "Stage 1: train a classifier, as guide or judge.",
        "train-gan": "Stage 2: train a generator by a recipe.",
    },
    "Evaluate": {
        "evaluate": "Stage 3: score a generator, or images from anywhere.",
        "report": "Rebuild a report, or open it in the browser.",
        "compare": "Compare reports in a table and on a page.",
        "latent": "Explore a generator's latent space in pictures.",
    },
    "Share": {
        "sample": "Generate images. No data set is needed.",
        "play": "Generate images on an interactive web page.",
        "export": "Write a network as ONNX, TorchScript or npz.",
    },
}
# by heading: the options of train-gan
TRAINING: dict[str, Sequence[str]] = {
    "Run": ("recipe", "dataset", "name", "guide", "judge", "init", "overwrite", "dry_run"),
    "Length and rates": (
        *("epochs", "batch_size", "sample_labels", "lr", "g_lr", "d_lr", "d_every", "schedule"),
        *("decay", "seed"),
    ),
    "Interruptions": ("resume", "resume_with_changes", "checkpoint_every", "on_nan"),
    "Networks": ("net", "generator", "discriminator", "z_dim", "noise", "modes", "ema"),
    "Losses": (
        *("loss", "label_smoothing", "guidance", "guidance_end", "delta_alpha", "d_shift"),
        *("penalty", "penalty_weight", "penalty_every", "beta1"),
    ),
    "Watching": ("checks", "log_interval", "verbose", "help"),
    "Machine and folders": (
        *("device", "precision", "threads", "data_dir", "weights_dir", "reports_dir"),
    ),
}


def write_commands(formatter: click.HelpFormatter) -> None:
    """Write the commands in groups, each with its full summary."""
    width = max(len(name) for group in COMMANDS.values() for name in group)
    for heading, group in COMMANDS.items():
        with formatter.section(heading):
            formatter.write_dl([(name.ljust(width), text) for name, text in group.items()])


class GroupedOptions(click.Command):
    """A command whose options are shown in the groups of TRAINING."""

    groups: Mapping[str, Sequence[str]] = TRAINING

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options in groups."""
        options: dict[str | None, click.Parameter] = {one.name: one for one in self.params}
        help_option = self.get_help_option(ctx)
        assert help_option is not None
        options["help"] = help_option
        for heading, names in self.groups.items():
            records = [options[name].get_help_record(ctx) for name in names]
            with formatter.section(heading):
                formatter.write_dl([record for record in records if record is not None])
