"""The pages in a real browser. A package, so that a worker starts Chromium once for all files of it."""
