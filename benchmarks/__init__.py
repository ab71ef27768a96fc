"""gancourse's metrics beside their peers: on the same arrays, in one process, in turns."""
