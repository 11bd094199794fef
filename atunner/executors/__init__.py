"""Where build and run work happens, by name."""

BUILT_IN = {
    "inline": "atunner.executors.inline:InlineExecutor",
    "local": "atunner.executors.local:LocalExecutor",
}
