#!/bin/sh
exec "$SRC/umbra/fuzz/build.sh"
