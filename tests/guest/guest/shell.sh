# SPDX-License-Identifier: GPL-2.0-or-later
#
# A shell on the first serial line, with the accelerator's driver loaded.
load idxd
echo
echo "Linux $(uname -r). The accelerator: accel-config list -i;" \
    "its driver's view: ls /sys/bus/dsa/devices"
echo "'. /tests/dsa-setup.sh' configures a queue; 'dsa-user" \
    "--summary /dev/dsa/wq0.0' works through it. 'exit' powers off."
setsid cttyhack sh
