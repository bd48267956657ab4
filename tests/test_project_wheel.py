"""The wheel that the image is made of holds every file of the packages, and starts."""

import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
PACKAGES: Final = ("api", "detector", "ingest", "simulators")


def test_wheel_holds_every_tracked_file_of_the_packages(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=60)
    (wheel,) = tmp_path.glob("*.whl")
    held = set(zipfile.ZipFile(wheel).namelist())
    listed = subprocess.run(
        ["git", "ls-files", "charley.py", *PACKAGES], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    missing = [name for name in listed if name not in held and (ROOT / name).exists()]
    assert not missing
    extra = {name for name in held if not name.startswith((*(f"{p}/" for p in PACKAGES), "charley"))}
    assert not extra

    # From the wheel alone: the command line comes up and knows its commands.
    unpacked = tmp_path / "unpacked"
    zipfile.ZipFile(wheel).extractall(unpacked)
    program = "import sys, charley; root = sys.argv.pop(1); assert charley.__file__.startswith(root); charley.main()"
    done = subprocess.run(
        [sys.executable, "-P", "-c", program, str(unpacked), "--help"],
        env={"PYTHONPATH": str(unpacked)},  # before the checkout, which is installed in place
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert all(command in done.stdout for command in ("ingest", "api", "simulate", "detect", "demo"))
