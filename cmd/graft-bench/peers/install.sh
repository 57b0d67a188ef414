#!/bin/sh
# Makes the virtual environment that graft-bench measures its Python peers in.
#
#   install.sh FOLDER
#
# FOLDER is made, or brought up to date. Some 6 GB: on Linux the published torch carries its GPU libraries, which the
# measurements do not use. PYTHON names the interpreter to start from (3.10 to 3.13; default: python3).
set -eu

if [ $# -ne 1 ]; then
	echo "usage: $0 FOLDER" >&2
	exit 2
fi
folder=$1
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
python=${PYTHON:-python3}

if [ ! -x "$folder/bin/python" ]; then
	"$python" -m venv "$folder"
fi
"$folder/bin/python" -m pip install --quiet --disable-pip-version-check --requirement "$here/requirements.txt"
"$folder/bin/python" "$here/peer.py" --check
echo "export GRAFT_BENCH_PYTHON=$folder/bin/python"
