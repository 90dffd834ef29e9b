#!/usr/bin/env bash
# Deploy this checkout: deployments/deploy.sh development|production [--dry-run] [--rollback] [more: --help]
# Settings come from the environment, and from .env.development or .env.production beside it where there is one.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

environment=${1:-}
case $environment in
  development | production) ;;
  -h | --help) ;;
  *)
    echo "usage: deployments/deploy.sh development|production [--dry-run] [--rollback]; --help lists the rest" >&2
    exit 2
    ;;
esac

settings=.env.$environment
if [ -f "$settings" ]; then
  set -a
  # shellcheck source=/dev/null
  . "./$settings"
  set +a
fi

# an image, or a machine that is prepared otherwise, names its own interpreter
if [ -z "${BACKSTOP_PYTHON:-}" ]; then
  [ -x .venv/bin/python ] || scripts/setup requirements-server.lock .venv/server
  BACKSTOP_PYTHON=.venv/bin/python
fi
# this checkout's code deploys, whatever code the interpreter would find by itself
export PYTHONPATH="$PWD/src:$PWD"
exec "$BACKSTOP_PYTHON" -m deployments.deploy "$@"
