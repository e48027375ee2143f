"""`%mlws` and `%%mlws`: the workspace from a notebook. Light: the first command imports the client."""

from jupyter_mlws.magics.register import register

__all__ = ["register"]
