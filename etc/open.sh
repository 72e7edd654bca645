# Opens the workshop, or runs it without a browser, where everything is installed.
# Run by bash with the project's folder, the folder of its Python, and what JupyterLab or `kata run` is given.
set -euo pipefail
unset PYTHONPATH PYTHONHOME
. "$(dirname "${BASH_SOURCE[0]}")/environment.sh" "$1" "$2"
folder=${KATA_WORKSHOP:-$1}
shift 2

if [ "${1:-}" = --run ]; then
    shift
    exec kata run "$@"
fi

kata up
echo "The cluster goes on when JupyterLab ends; \`kata down\`, in a terminal there or as $KATA_BIN/kata, removes it."

# Everything that Jupyter keeps stays in the learner's folder, readable by its owner only.
state=$KATA_HOME/jupyter
mkdir -p -m 700 "$KATA_HOME" "$state"
export JUPYTER_CONFIG_DIR=$state/config JUPYTER_DATA_DIR=$state/data JUPYTER_RUNTIME_DIR=$state/runtime
export JUPYTERLAB_SETTINGS_DIR=$state/settings JUPYTERLAB_WORKSPACES_DIR=$state/workspaces
export IPYTHONDIR=$state/ipython

arguments=()
if [ "$(id -u)" = 0 ]; then arguments+=(--allow-root); fi
if [ "$(uname)" != Darwin ] && [ -z "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]; then arguments+=(--no-browser); fi
cd "$folder"
exec jupyter lab ${arguments[@]+"${arguments[@]}"} "$@"
