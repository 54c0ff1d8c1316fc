# Before each start of the server, as root: brings Python and the packages, unless they are there. systemd runs it again
# until it succeeds, also after a reboot in the middle of it.
set -eu
environment=/opt/shoestring/venv
python=python$MLFLOW_HOST_PYTHON
[ ! -e $environment ] || exit 0
command -v "$python" || dnf install --assumeyes "$python"
aws s3 cp --no-progress "$MLFLOW_HOST_PACKAGES" /var/tmp/packages.zip
"$python" /opt/shoestring/install.py /var/tmp/packages.zip $environment
rm /var/tmp/packages.zip
