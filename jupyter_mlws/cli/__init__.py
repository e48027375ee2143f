"""`jupyter mlws ...`: the workspace from a terminal and from scripts."""
