"""Deploying an Edge Function from the workspace, with the version before it kept as the way back."""
