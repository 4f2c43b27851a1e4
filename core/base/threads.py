"""How torch's threads wait for each other. Imported before torch, which reads it once."""

import os

# Waiting threads burn a core by default. Where a training runs beside the app, or two people ask at once, there are more
# threads than cores, and busy waiting slows all of them: asleep, they leave the cores to the others.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
