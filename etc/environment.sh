# The workshop's settings for JupyterLab, its kernels and its terminals: which cluster, and the commands for it.
# Sourced with two arguments: the project's folder, and the folder of its Python. KATA_WORKSHOP, where it is set, is the
# learner's own folder: many may share one project.
export KATA_NAME=${KATA_NAME:-kata} KATA_HOME=${KATA_HOME:-${KATA_WORKSHOP:-$1}/.kata} KATA_BIN=$2
export KATA_KUBECONFIG=$KATA_HOME/$KATA_NAME/kubeconfig JUPYTER_CONFIG_PATH=$1/etc/jupyter
export PATH=$KATA_BIN:$PATH KUBECONFIG=$KATA_KUBECONFIG
