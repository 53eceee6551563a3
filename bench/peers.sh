#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# peers.sh [DIR]: builds the Go collector, with the components that weir has
# too, into DIR (build/peers) as DIR/otelcol.  Needs Go 1.25 or newer; modules
# come from wherever Go is set up to get them.  Does nothing when it is there.
# Versions: contrib is whole at v0.158.0; its neighbours lack modules.
set -eu
dir=${1:-build/peers}
v=v0.158.0
core=go.opentelemetry.io/collector
contrib=github.com/open-telemetry/opentelemetry-collector-contrib

mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
if [ -x "$dir/otelcol" ]; then
	echo "$dir/otelcol is there"
	exit 0
fi
command -v go >/dev/null || {
	echo "peers.sh: no Go on this machine; the Go collector is left out" >&2
	exit 1
}
work=$dir/otelcol.work
mkdir -p "$work"

list() {	# KIND PREFIX NAME...: the components of one kind
	kind=$1 prefix=$2
	shift 2
	for name in "$@"; do
		echo "  - gomod: $prefix/$kind/$name $v"
	done
}
{
	echo "dist: {name: otelcol, output_path: $work/src, module: peer}"
	echo "receivers:"
	list receiver $core otlpreceiver
	echo "processors:"
	list processor $core batchprocessor memorylimiterprocessor
	list processor $contrib attributesprocessor resourceprocessor \
		redactionprocessor filterprocessor tailsamplingprocessor \
		probabilisticsamplerprocessor
	echo "exporters:"
	list exporter $core otlpexporter otlphttpexporter debugexporter \
		nopexporter
	list exporter $contrib fileexporter
	echo "providers:"
	for name in env file yaml; do
		echo "  - gomod: $core/confmap/provider/${name}provider v1.64.0"
	done
} >"$work/manifest.yaml"

GOBIN=$work/bin go install $core/cmd/builder@v0.164.0
"$work/bin/builder" --config "$work/manifest.yaml" --skip-strict-versioning
mv "$work/src/otelcol" "$dir/otelcol"
rm -rf "$work"
echo "$dir/otelcol: $v"
