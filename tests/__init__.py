import os
import sys

# Rewritten assertions and compiled modules are kept even where the shell would not have it: making
# them anew at each run, and in each process that a test starts, takes half a minute.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
