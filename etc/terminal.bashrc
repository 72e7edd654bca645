# The shell of a JupyterLab terminal. A person's own start-up file may put another kubectl first or point
# KUBECONFIG elsewhere, so the workshop's settings come after it.
[ -f ~/.bashrc ] && . ~/.bashrc
export PATH="$KATA_BIN:$PATH" KUBECONFIG="$KATA_KUBECONFIG" BASH_SILENCE_DEPRECATION_WARNING=1
