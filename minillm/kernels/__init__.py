"""The hot loops: each compiled kernel beside the plain NumPy function that defines it."""

from minillm.kernels.threads import prepare_process

prepare_process()   # numba's thread pool reads the environment when it starts
