"""One file per subcommand: `run(args) -> exit code`. Loaded only when its command is called."""
