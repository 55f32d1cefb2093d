"""The one artefact that stages hand on: the bundle, its manifest and container, and the kinds of detector."""
