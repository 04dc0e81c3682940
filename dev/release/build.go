package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
)

// platform is an operating system and a processor.
type platform struct{ os, arch string }

func platforms() []platform {
	return []platform{{"linux", "amd64"}, {"linux", "arm64"}, {"darwin", "amd64"}, {"darwin", "arm64"}}
}

func parsePlatform(s string) platform {
	system, arch, _ := strings.Cut(s, "/")
	return platform{system, arch}
}

// String is how Go and container images write it.
func (p platform) String() string { return p.os + "/" + p.arch }

func (p platform) suffix() string { return p.os + "_" + p.arch }

// The programs of a release, and where they are built from.
var programs = map[string]string{"kyc": "./cmd/kyc", "diditsim": "./didit/diditsim/cmd/diditsim"}

// versionPackage has the variables that the linker sets.
const versionPackage = "didit-temporal/internal/version"

// build leaves the programs for a platform in the work folder. Nothing of this machine gets into them: no paths, no
// settings of its Go, no feature of its processor.
func (r *release) build(ctx context.Context, p platform) error {
	env := []string{
		"GOOS=" + p.os, "GOARCH=" + p.arch, "GOAMD64=v1", "GOARM64=v8.0",
		"CGO_ENABLED=0", "GOWORK=off", "GOTOOLCHAIN=local", "GOFLAGS=", "GOEXPERIMENT=",
	}
	link := fmt.Sprintf("-s -w -X %[1]s.version=v%[2]s -X %[1]s.revision=%[3]s", versionPackage, r.version, r.revision)
	for name, source := range programs {
		_, err := command(ctx, r.root, env, "go", "build", "-trimpath", "-buildvcs=false", "-tags="+r.tags,
			"-ldflags="+link, "-o", r.binary(p, name), source)
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *release) binary(p platform, name string) string {
	return filepath.Join(r.work, p.suffix(), name)
}

// bill writes the software bill of materials, which the tool reads from the binary. It names a checksum of itself too,
// hence its -trimpath.
func (r *release) bill(ctx context.Context, p platform) error {
	out, err := filepath.Abs(r.path(p.suffix() + ".cdx.json"))
	if err != nil {
		return err
	}
	_, err = command(ctx, r.root, []string{"GOFLAGS=-trimpath", "GOWORK=off"}, "go", "tool", "-modfile=dev/tools/sbom/go.mod", "cyclonedx-gomod",
		"bin", "-json", "-std", "-noserial", "-notimestamp", "-version", "v"+r.version, "-output", out, r.binary(p, "kyc"))
	return err
}
