"""What many cases share: packages of the index, a project, changes to it."""

from __future__ import annotations

from lab.cases import Bump, Cut
from lab.index import PORT, npm_lock

ALPHA = "lab_alpha-1.0-py3-none-any.whl"
BETA = "lab_beta-1.1-py3-none-any.whl"
BULK = "lab_bulk-1.0-py3-none-any.whl"
GAMMA = "lab_gamma-1.0-py3-none-any.whl"
SOURCE = "lab_source-1.1.tar.gz"
INDEX = f"http://127.0.0.1:{PORT}"

REQUIREMENTS = "lab-alpha==1.0\nlab-beta==1.0\nlab-bulk==1.0\n"
APP = {"app.py": "print('first')\n", "requirements.txt": REQUIREMENTS}
BETA_BUMP = Bump(
    frozenset({BETA}), files={"requirements.txt": REQUIREMENTS.replace("beta==1.0", "beta==1.1")}
)
# The order of layers is mended, but the switch stays: the step downloads everything again.
NOT_KEPT = Bump(frozenset({ALPHA, BETA, BULK, GAMMA}), files=BETA_BUMP.files)
# pip asks for lab-gamma, which lab-alpha requires, only after lab-bulk.
BULK_CUT = Cut("lab_bulk", missing=frozenset({BULK, GAMMA}))

LEFT = "lab-left-1.1.0.tgz"
MIDDLE = "lab-middle-1.0.0.tgz"
RIGHT = "lab-right-1.0.0.tgz"


def npm(left: str) -> dict[str, str]:
    wanted = [("lab-left", left), ("lab-right", "1.0.0")]
    listed = ", ".join(f'"{name}": "{version}"' for name, version in wanted)
    return {
        "package.json": f'{{"name": "app", "version": "1.0.0", "dependencies": {{{listed}}}}}\n',
        "package-lock.json": npm_lock("app", "1.0.0", wanted, INDEX),
    }
