# The workshop's settings for JupyterLab, its kernels and its terminals: which cluster, and the commands for it.
# Sourced with two arguments: the learner's folder, and the folder of the workshop's Python.
export KATA_FOLDER=$1 KATA_BIN=$2 KATA_NAME=${KATA_NAME:-kata} KATA_HOME=${KATA_HOME:-$1/.kata}
export KATA_KUBECONFIG=$KATA_HOME/$KATA_NAME/kubeconfig
JUPYTER_CONFIG_PATH=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)/jupyter
export JUPYTER_CONFIG_PATH PATH=$KATA_BIN:$PATH KUBECONFIG=$KATA_KUBECONFIG
