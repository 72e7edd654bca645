# The shell of a JupyterLab terminal. A person's own start-up file may put another kubectl first or point
# KUBECONFIG elsewhere, so the workshop's settings come after it.
[ -f ~/.bashrc ] && . ~/.bashrc
export PATH="$KATA_BIN:$PATH" KUBECONFIG="$KATA_KUBECONFIG" BASH_SILENCE_DEPRECATION_WARNING=1
cd "${KATA_WORKSHOP:-$(dirname "${BASH_SOURCE[0]}")/..}" || return
cat <<'TEXT'
Three commands to begin with:

  kata status
      what runs in your cluster
  kubectl get pods
      your pods, as anywhere
  scripts/loop-query.sh
      one answer after the other;
      Ctrl+C ends it

TEXT
