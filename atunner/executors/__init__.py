"""Where build and run work happens, by name."""

BUILT_IN = {
    "inline": "atunner.executors.inline:InlineExecutor",
    "threads": "atunner.executors.threads:ThreadExecutor",
    "local": "atunner.executors.local:LocalExecutor",
}
