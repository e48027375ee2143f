"""The driver `remote`: kernels of another Jupyter server, over its REST calls and websockets."""
