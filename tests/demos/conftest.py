import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # for `lab`, which the latency benchmark uses too
